//! One kept-alive connection: requests out, answers in.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use anyhow::Context as _;

use super::Head;
use super::wire::Wire;

/// The size that a patient client reads with.
const INBOX: usize = 256 * 1024;

/// A connection and what was read from it but not used yet (`inbox[from..to]`).
#[derive(Debug)]
pub(crate) struct Connection {
    wire: Wire,
    host: SocketAddr,
    /// The header line that every request carries, or nothing.
    login: &'static str,
    inbox: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Connection {
    pub(super) fn new(wire: Wire, host: SocketAddr) -> Self {
        Self { wire, host, login: "", inbox: vec![0; INBOX].into(), from: 0, to: 0 }
    }

    pub(super) fn showing(self, login: &'static str) -> Self {
        Self { login, ..self }
    }

    /// Sends the head of a request; `headers` are whole lines, each with its line end.
    pub(crate) fn begin(&mut self, method: &str, target: &str, headers: &str) -> anyhow::Result<()> {
        let (host, login) = (self.host, self.login);
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{login}{headers}\r\n");
        self.send(head.as_bytes())
    }

    /// Sends raw bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.wire.write_all(bytes)?)
    }

    /// A whole exchange with a small body each way.
    pub(crate) fn exchange(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
    ) -> anyhow::Result<(Head, Vec<u8>)> {
        let (host, login, length) = (self.host, self.login, body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{login}{headers}\r\n"
        );
        // One write, so that head and body leave in one segment.
        self.send(&[head.as_bytes(), body].concat())?;
        let head = self.head()?;
        let body = if method == "HEAD" { Vec::new() } else { self.body(&head)? };
        Ok((head, body))
    }

    /// Reads the head of the next answer.
    pub(crate) fn head(&mut self) -> anyhow::Result<Head> {
        loop {
            if let Some(end) = Head::end(&self.inbox[self.from..self.to]) {
                let head = Head::parse(&self.inbox[self.from..self.from + end]);
                self.from += end;
                return head;
            }
            self.fill()?;
        }
    }

    /// Shows the body of an answer with a length to `see`, piece by piece, and says how long it was.
    pub(crate) fn skim(&mut self, head: &Head, mut see: impl FnMut(&[u8])) -> anyhow::Result<u64> {
        let length = head.length.context("the answer has no length")?;
        let mut left = usize::try_from(length)?;
        while left > 0 {
            if self.from == self.to {
                self.fill()?;
            }
            let piece = left.min(self.to - self.from);
            see(&self.inbox[self.from..self.from + piece]);
            self.from += piece;
            left -= piece;
        }
        Ok(length)
    }

    /// Reads a body into memory, with a length or in chunks.
    pub(crate) fn body(&mut self, head: &Head) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        if !head.chunked {
            if head.length.is_some() {
                self.skim(head, |piece| body.extend_from_slice(piece))?;
            }
            return Ok(body);
        }
        loop {
            let size = self.line()?;
            let length = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
            let chunk = Head { length: Some(length), ..Head::default() };
            self.skim(&chunk, |piece| body.extend_from_slice(piece))?;
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<String> {
        loop {
            let unread = &self.inbox[self.from..self.to];
            if let Some(end) = unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&unread[..end]).into_owned();
                self.from += end + 2;
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.to == self.inbox.len() {
            self.inbox.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        anyhow::ensure!(self.to < self.inbox.len(), "the head of the answer is too long");
        let read = self.wire.read(&mut self.inbox[self.to..])?;
        anyhow::ensure!(read > 0, "the server closed the connection");
        self.to += read;
        Ok(())
    }
}
