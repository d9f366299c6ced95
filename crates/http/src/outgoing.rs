//! Bodies on their way out: whole, or the connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use futures::Stream;
use http_body::{Frame, SizeHint};

/// A body of exactly `length` bytes out of `stream`. An error in the middle, and an end before or after `length`, end the
/// connection, so that a client never takes a short body for a whole one.
pub fn outgoing<S, E>(stream: S, length: u64) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: Into<BoxError>,
{
    Body::new(Outgoing { stream, left: length })
}

struct Outgoing<S> {
    stream: S,
    left: u64,
}

impl<S, E> http_body::Body for Outgoing<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(Pin::new(&mut self.stream).poll_next(cx));
        Poll::Ready(Some(match next {
            Some(Ok(bytes)) => match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Ok(Frame::data(bytes))
                }
                None => Err("the content is longer than was announced".into()),
            },
            Some(Err(error)) => Err(error.into()),
            None => Err("the content ended before its end".into()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::BodyExt;

    use super::*;

    async fn sent(pieces: Vec<Result<&'static str, &'static str>>, length: u64) -> Result<Bytes, String> {
        let pieces = pieces.into_iter().map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes())));
        let body = outgoing(stream::iter(pieces), length);
        body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn is_whole_or_an_error() {
        assert_eq!(sent(vec![Ok("ab"), Ok("c")], 3).await, Ok("abc".into()));
        assert_eq!(sent(vec![], 0).await, Ok(Bytes::new()));
        assert!(sent(vec![Ok("ab"), Err("gone")], 3).await.is_err());
        assert!(sent(vec![Ok("ab")], 3).await.is_err());
        assert!(sent(vec![Ok("abcd")], 3).await.is_err());
    }
}
