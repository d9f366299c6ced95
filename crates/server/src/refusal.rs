//! Answers on a connection where no request was understood: below the router, but with an id, a line in the log and the body that every
//! other refusal has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use berth_api_distribution::version;
use berth_http::{Problem, RequestId, problems_text};
use berth_oci::ErrorCode;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::service::Shared;

/// Why nothing was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The header was not there in time.
    HeaderTimeout,
    /// The first line is too long.
    UriTooLong,
    /// The header is too long.
    HeaderTooLong,
    /// The bytes are no request of HTTP.
    NotHttp,
    /// There are too many connections.
    TooManyConnections,
    /// The bytes are plain where TLS is spoken.
    NotTls,
}

impl Refusal {
    /// Every one.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::HeaderTimeout,
        Self::UriTooLong,
        Self::HeaderTooLong,
        Self::NotHttp,
        Self::TooManyConnections,
        Self::NotTls,
    ];

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::HeaderTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::HeaderTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::NotHttp | Self::NotTls => StatusCode::BAD_REQUEST,
            Self::TooManyConnections => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) const fn code(self) -> ErrorCode {
        match self {
            Self::TooManyConnections => ErrorCode::Unavailable,
            _ => ErrorCode::Unsupported,
        }
    }

    /// Its name in the log and in metrics.
    pub(crate) const fn route(self) -> &'static str {
        match self {
            Self::HeaderTimeout => "header-timeout",
            Self::UriTooLong => "uri-too-long",
            Self::HeaderTooLong => "header-too-long",
            Self::NotHttp => "not-http",
            Self::TooManyConnections => "too-many-connections",
            Self::NotTls => "not-tls",
        }
    }

    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::HeaderTimeout => "the header of the request did not come in time: send it at once",
            Self::UriTooLong => "the path and query are too long: no name or list needs that much",
            Self::HeaderTooLong => "the header of the request is too long: send fewer or shorter fields",
            Self::NotHttp => "this is no request that can be read: send HTTP/1.1 or HTTP/2",
            Self::NotTls => "this port speaks TLS only: ask again with https://",
            Self::TooManyConnections => "too many connections are open: try again in a moment",
        }
    }

    /// The answer as it goes over the connection, which ends with it; with `more` lines in its header.
    fn bytes(self, id: &RequestId, more: &str) -> Bytes {
        let problem = Problem { code: self.code().as_str(), message: self.message().into(), detail: None };
        let body = problems_text(&[problem]);
        let again = if self == Self::TooManyConnections { "retry-after: 1\r\n" } else { "" };
        format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nx-request-id: {id}\r\n{again}{more}connection: close\r\n\r\n{body}",
            self.status(),
            body.len()
        )
        .into()
    }
}

/// Refuses on one connection.
#[derive(Debug)]
pub(crate) struct Refusing {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: SocketAddr,
}

impl Refusing {
    /// Notes the refusal and gives what is to be said. `received` bytes came in the time that it `took`.
    pub(crate) fn refuse(&self, refusal: Refusal, received: u64, took: Duration) -> Bytes {
        let id = self.shared.request_ids.make();
        // Which path was meant, nobody knows; where the doors are, it may have been the registry's.
        let spoken =
            self.shared.doors.as_ref().map(|_| format!("{}: {}\r\n", version::HEADER, version::SPOKEN));
        let bytes = refusal.bytes(&id, &spoken.unwrap_or_default());
        self.shared.metrics.answered(refusal.route(), None, refusal.status(), took);
        if self.shared.access_log {
            tracing::info!(
                target: "access",
                request_id = id.as_str(),
                peer = %self.peer,
                route = refusal.route(),
                status = refusal.status().as_u16(),
                received,
                sent = bytes.len(),
                micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            );
        }
        bytes
    }

    /// Says on a connection of which nothing was read yet why it ends. What the client sends is read: closing over unread bytes
    /// would lose the answer.
    pub(crate) async fn turn_away(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin, refusal: Refusal) {
        let (mut unread, came) = ([0; 4096], Instant::now());
        let read = stream.read(&mut unread).await.unwrap_or(0);
        let words = self.refuse(refusal, read as u64, came.elapsed());
        let _ = stream.write_all(&words).await;
        let _ = stream.shutdown().await;
        while let Ok(1..) = stream.read(&mut unread).await {}
    }
}

#[cfg(test)]
mod tests {
    use berth_http::RequestIds;

    use super::*;

    #[test]
    fn every_refusal_is_an_answer_with_an_id_and_a_body_of_its_length() {
        let ids = RequestIds::new(7);
        for refusal in Refusal::ALL {
            let id = ids.make();
            let bytes = refusal.bytes(&id, "x-more: told\r\n");
            let text = std::str::from_utf8(&bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {} ", refusal.status().as_u16())), "{head}");
            assert!(head.contains(&format!("\r\nx-request-id: {id}\r\n")), "{head}");
            assert!(head.contains("\r\nx-more: told\r\n"), "{head}");
            assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
            assert!(body.contains(&format!("\"code\":\"{}\"", refusal.code().as_str())), "{body}");
        }
    }
}
