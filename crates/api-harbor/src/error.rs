//! Why a request gets no: what the use cases say, and what this door itself finds wrong.

mod verdict;

use axum::http::HeaderValue;
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::request::Parts;
use axum::response::Response;
use berth_access::LoginError;
use berth_domain::chain;
use berth_http::RequestId;
use berth_http::rest::{Code, Refusal};

/// Everything that is answered with an `errors` body; the words are for the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A use case did not happen.
    #[error(transparent)]
    Management(Box<berth_management::Error>),
    /// The credentials are not good.
    #[error(transparent)]
    LogIn(Box<LoginError>),
    /// The request cannot be read, or may not be made.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The path does not take the method.
    #[error("this takes {allow} only")]
    Method { allow: String },
}

impl From<berth_management::Error> for Error {
    fn from(error: berth_management::Error) -> Self {
        Self::Management(Box::new(error))
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Self::LogIn(Box::new(error))
    }
}

impl Error {
    /// The path does not take the method, but these.
    pub(crate) fn method(allowed: &[&str]) -> Self {
        Self::Method { allow: allowed.join(", ") }
    }

    /// The path names nothing.
    pub(crate) fn path(path: &str) -> Self {
        let path: String = path.chars().take(200).collect();
        Refusal::new(Code::NotFound, format!("path {path} was not found")).into()
    }

    /// The answer; says in the log what happened, once, here.
    pub(crate) fn answer(&self, parts: &Parts) -> Response {
        let verdict = self.verdict();
        let status = verdict.code.status();
        let request_id = parts.extensions.get::<RequestId>().map(RequestId::as_str).unwrap_or_default();
        if status.is_server_error() {
            tracing::error!(request_id, status = status.as_u16(), error = chain(self), "the request failed");
        } else {
            tracing::debug!(request_id, status = status.as_u16(), error = %self, "the request was refused");
        }
        let words = verdict.words.map_or_else(|| self.to_string(), str::to_owned);
        let mut answer = Refusal::new(verdict.code, words).answer();
        if let Some(seconds) = verdict.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::Method { allow } = self
            && let Ok(allow) = HeaderValue::try_from(allow)
        {
            answer.headers_mut().insert(ALLOW, allow);
        }
        answer
    }
}
