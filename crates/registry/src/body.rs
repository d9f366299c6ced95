//! The body of a request, as a door hands it in.

use bytes::Bytes;
use futures::stream::BoxStream;

/// A body on its way in.
pub struct Incoming {
    /// Its length, if the client said so.
    pub length: Option<u64>,
    /// Its bytes. The stream ends after `length` bytes, or with an error.
    pub stream: BoxStream<'static, Result<Bytes, BodyError>>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection is gone or broke the protocol.
    #[error("the body broke off: the client went away, or its chunks cannot be read; send it again")]
    Disconnected,
    /// Nothing came for too long.
    #[error("the body stopped moving: ask the upload's status and go on, or send it again")]
    Stalled,
    /// More bytes than were announced.
    #[error("the body is longer than was announced: send as many bytes as Content-Length says")]
    TooLong,
}
