//! The bytes of a connection, counted, and ended when a header breaks its limits.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::activity::{Activity, Verdict};
use crate::answer;

/// A stream that tells its [`Activity`] what moves, and that answers by itself when the activity says so.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    stream: S,
    activity: Arc<Activity>,
    header_limit: u64,
    /// What is left to say before the end.
    last_words: Option<&'static [u8]>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, header_limit: u64) -> Self {
        Self { stream, activity, header_limit, last_words: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    fn end(&mut self, cx: &mut Context<'_>, verdict: Verdict) -> Poll<io::Error> {
        let words = self.last_words.get_or_insert(match verdict {
            Verdict::HeaderTimeout => answer::HEADER_TIMEOUT,
            Verdict::UriTooLong => answer::URI_TOO_LONG,
            Verdict::HeaderTooLong => answer::HEADER_TOO_LONG,
        });
        while !words.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, words)) {
                Ok(written) if written > 0 => *words = &words[written..],
                _ => break,
            }
        }
        let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        // What has come already is taken: closing over unread bytes would lose the answer.
        let mut unread = [0; 16 << 10];
        let mut buffer = ReadBuf::new(&mut unread);
        while let Poll::Ready(Ok(())) = Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            if buffer.filled().is_empty() {
                break;
            }
            buffer.clear();
        }
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the header broke its limits"))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(verdict) = self.activity.verdict(self.header_limit) {
            return self.end(cx, verdict).map(Err);
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
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.blocked(),
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
