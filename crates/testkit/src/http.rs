//! HTTP/1.1 on a plain socket: small, blocking, and able to do what no library would: stop in the middle, lie about a length.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::credentials;

/// How long the other side may be silent.
const SILENCE: Duration = Duration::from_mins(2);

/// A request with its whole body.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    anonymous: bool,
}

impl Request {
    /// Any method.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            anonymous: false,
        }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// A HEAD.
    pub fn head(path: impl Into<String>) -> Self {
        Self::new("HEAD", path)
    }

    /// A PUT.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new("PUT", path)
    }

    /// A POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new("POST", path)
    }

    /// A PATCH.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new("PATCH", path)
    }

    /// A DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path)
    }

    /// Adds a header. A `Content-Length` or `Transfer-Encoding` given here is sent as it is, true or not.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }

    /// Sends no credentials. Without this, and without an `Authorization` header, the administrator asks.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Asks as somebody with a name and a secret.
    #[must_use]
    pub fn login(self, login: &str, secret: &str) -> Self {
        self.header("Authorization", credentials::basic(login, secret))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The bytes before the body.
    pub fn head_bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let shown = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        if !self.anonymous && !self.headers.iter().any(shown) {
            let admin = credentials::basic(credentials::ADMIN, credentials::ADMIN_PASSWORD);
            head.extend(["Authorization: ", &admin, "\r\n"]);
        }
        let framed = |(name, _): &(String, String)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        };
        let may_have_body = !matches!(self.method.as_str(), "GET" | "HEAD" | "DELETE");
        if (may_have_body || !self.body.is_empty()) && !self.headers.iter().any(framed) {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// A connection that is kept between requests.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    /// Connects to `host:port`.
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(Self { stream: BufReader::with_capacity(256 * 1024, stream), host: address.into() })
    }

    /// Sends a request and reads its whole answer.
    pub fn ask(&mut self, request: &Request) -> io::Result<Response> {
        self.begin(request)?.whole()
    }

    /// Sends a request and reads the head of its answer; the body follows as it is read.
    pub fn begin(&mut self, request: &Request) -> io::Result<Answer<'_>> {
        self.send(&request.head_bytes(&self.host))?;
        // The server may have answered and closed before the body is sent whole: its answer says why.
        let sent = self.send(&request.body);
        match self.answer(request.method() == "HEAD") {
            Ok(answer) => Ok(answer),
            Err(error) => Err(sent.err().unwrap_or(error)),
        }
    }

    /// Sends a request whose body comes from a reader, chunked, as docker does it.
    pub fn stream(&mut self, request: &Request, body: &mut dyn Read) -> io::Result<Response> {
        let request = request.clone().header("Transfer-Encoding", "chunked");
        self.send(&request.head_bytes(&self.host))?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = body.read(&mut buffer)?;
            let mut chunk = format!("{read:x}\r\n").into_bytes();
            chunk.extend(&buffer[..read]);
            chunk.extend(b"\r\n");
            self.send(&chunk)?;
            if read == 0 {
                break;
            }
        }
        self.answer(false)?.whole()
    }

    /// Sends raw bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads the head of the next answer.
    pub fn answer(&mut self, to_head: bool) -> io::Result<Answer<'_>> {
        loop {
            let (status, headers) = read_head(&mut self.stream)?;
            if status >= 200 {
                let left = framing(status, &headers, to_head);
                return Ok(Answer { status, headers, left, stream: &mut self.stream });
            }
        }
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// The other side's `host:port`.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Bytes(u64),
    Chunks { in_chunk: u64, ended: bool },
    UntilClose,
}

fn framing(status: u16, headers: &[(String, String)], to_head: bool) -> Left {
    if to_head || status == 204 || status == 304 {
        return Left::Bytes(0);
    }
    if let Some(length) = find(headers, "content-length").and_then(|value| value.parse().ok()) {
        return Left::Bytes(length);
    }
    match find(headers, "transfer-encoding") {
        Some(_) => Left::Chunks { in_chunk: 0, ended: false },
        None => Left::UntilClose,
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    // A part of a line too: whoever died in the middle of a status has not said it.
    if !line.ends_with('\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed"));
    }
    Ok(line.trim_end().to_owned())
}

fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<(u16, Vec<(String, String)>)> {
    let first = read_line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no HTTP answer: {first:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    left: Left,
    stream: &'a mut BufReader<TcpStream>,
}

impl Answer<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Reads the rest. A body that ends before its length is an error.
    pub fn whole(mut self) -> io::Result<Response> {
        let mut body = Vec::new();
        self.read_to_end(&mut body)?;
        Ok(Response { status: self.status, headers: self.headers, body })
    }
}

impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Left::Chunks { in_chunk: 0, ended: false } = self.left {
            let line = read_line(self.stream)?;
            let size = u64::from_str_radix(line.split(';').next().unwrap_or_default(), 16)
                .map_err(io::Error::other)?;
            self.left = Left::Chunks { in_chunk: size, ended: size == 0 };
            if size == 0 {
                while !read_line(self.stream)?.is_empty() {}
            }
        }
        let limit = match self.left {
            Left::Bytes(left) | Left::Chunks { in_chunk: left, .. } => left,
            Left::UntilClose => u64::MAX,
        };
        let read = self.stream.by_ref().take(limit).read(buffer)?;
        match &mut self.left {
            Left::Bytes(left) => {
                if read == 0 && *left > 0 && !buffer.is_empty() {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("{left} bytes are missing"),
                    ));
                }
                *left -= read as u64;
            }
            Left::Chunks { in_chunk, ended } => {
                if read == 0 && !*ended && !buffer.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last chunk is missing"));
                }
                *in_chunk -= read as u64;
                if *in_chunk == 0 && !*ended && read > 0 {
                    read_line(self.stream)?;
                }
            }
            Left::UntilClose => {}
        }
        Ok(read)
    }
}

/// An answer read whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The code of the first error in an OCI error body.
    #[track_caller]
    pub fn code(&self) -> String {
        let code = self.json()["errors"][0]["code"].as_str().map(str::to_owned);
        code.unwrap_or_else(|| panic!("no OCI error: {}", self.text()))
    }

    /// Panics unless the status is as expected.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "the assertion is the point")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.text());
        self
    }
}
