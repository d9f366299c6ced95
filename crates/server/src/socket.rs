//! The bytes of a connection, counted, and ended with words when no request can be made of them, and never over an answer that the
//! client has not read yet.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::refusal::{Refusal, Refusing};
use crate::send_file::SendFile;

/// A stream that tells its [`Activity`] what moves and what the kernel could not read, that answers by itself when a header takes too
/// long, and that says in full what the parser of HTTP/1 says in one line when it understands nothing.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    stream: S,
    activity: Arc<Activity>,
    refusing: Refusing,
    /// What is left to say before the end, instead of anything else.
    last_words: Option<Bytes>,
    /// Until when what still comes is taken, since nothing more is said.
    lingering: Option<Lingering>,
}

/// How long a client may go on sending what nobody wants before it looks at its answer.
const LINGER: Duration = Duration::from_secs(5);
/// The same when the process is about to end.
const LINGER_AT_THE_END: Duration = Duration::from_secs(1);

/// Done when a client has had its time.
struct Lingering(BoxFuture<'static, ()>);

impl Lingering {
    fn new(closing: CancellationToken) -> Self {
        let at_the_end = async move {
            closing.cancelled().await;
            sleep(LINGER_AT_THE_END).await;
        };
        Self(Box::pin(async move {
            tokio::select! {
                () = sleep(LINGER) => {}
                () = at_the_end => {}
            }
        }))
    }
}

impl fmt::Debug for Lingering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lingering")
    }
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, refusing: Refusing) -> Self {
        Self { stream, activity, refusing, last_words: None, lingering: None }
    }

    fn refuse(&mut self, refusal: Refusal) {
        if self.last_words.is_none() {
            let (received, took) = self.activity.header();
            self.last_words = Some(self.refusing.refuse(refusal, received, took));
        }
    }

    /// Whether something is written that this says instead: the answer to what was not understood, which begins like `written`.
    fn speaks(&mut self, written: &[u8]) -> bool {
        if self.last_words.is_none() && !written.is_empty() && self.activity.is_unasked() {
            let refusal = match written.get(..STATUS.len()) {
                Some(b"HTTP/1.1 431" | b"HTTP/1.1 414") => self.activity.too_long(),
                _ => Refusal::NotHttp,
            };
            self.refuse(refusal);
        }
        self.last_words.is_some()
    }
}

/// What an answer begins with, up to the end of its status.
const STATUS: &str = "HTTP/1.1 000";

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    fn say(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(words) = &mut self.last_words else { return Poll::Ready(()) };
        while !words.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, words)) {
                Ok(written) if written > 0 => words.advance(written),
                // There is nobody to say it to.
                _ => words.clear(),
            }
        }
        Poll::Ready(())
    }

    /// Says that nothing more will be said. TLS has a word for it, which a client may not take either.
    fn shut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        if shut.is_pending() {
            self.activity.blocked();
        }
        shut
    }

    fn end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.say(cx));
        let ended = ready!(self.shut(cx));
        // What has come already is taken: closing over unread bytes would lose the answer.
        let mut unread = [0; 16 << 10];
        let mut buffer = ReadBuf::new(&mut unread);
        while let Poll::Ready(Ok(())) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            if buffer.filled().is_empty() {
                break;
            }
            buffer.clear();
        }
        Poll::Ready(ended)
    }

    /// Says that nothing more will be said, and takes what the client still sends, for a while: the answer that went ahead of it
    /// would be lost by closing over unread bytes, on a client that sends everything before it reads.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(self.shut(cx))?;
        }
        let closing = &self.refusing.shared.closing;
        let lingering = self.lingering.get_or_insert_with(|| Lingering::new(closing.clone()));
        let mut unread = [0; 16 << 10];
        let mut buffer = ReadBuf::new(&mut unread);
        while lingering.0.poll_unpin(cx).is_pending() {
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.activity.discarded(buffer.filled().len());
            buffer.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.header_timed_out() {
            // Who has not said the preface of HTTP/2 does not understand what HTTP/1 says.
            if !self.activity.is_http2() {
                self.refuse(Refusal::HeaderTimeout);
                let _ = ready!(self.end(cx));
            }
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the header took too long")));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.activity.received(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S> Socket<S> {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => self.activity.sent(*bytes),
            // A page of what was to be sent is lost. Whatever else goes wrong, the client or the network does.
            Poll::Ready(Err(error)) if Errno::from_io_error(error) == Some(Errno::FAULT) => {
                self.activity.lent.unreadable();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.blocked(),
        }
        written
    }
}

impl<S: SendFile + AsyncWrite + Unpin> Socket<S> {
    /// Sends what lies first in a file from there, and else everything from memory. A head goes from memory with what is behind it,
    /// so that it needs no packet of its own.
    fn send(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        if let Some(stretch) = first.and_then(|slice| self.activity.lent.stretch_of(slice))
            && let Some(sent) = ready!(self.stream.poll_send_file(cx, &stretch))
        {
            return Poll::Ready(sent);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }
}

impl<S: AsyncRead + AsyncWrite + SendFile + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.speaks(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        if self.speaks(first.map_or(&[], |slice| slice)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = self.send(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.say(cx));
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.activity.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.last_words.is_some() {
            return self.end(cx);
        }
        if self.activity.has_unread() {
            return self.linger(cx);
        }
        self.shut(cx)
    }
}
