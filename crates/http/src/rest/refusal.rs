//! A no in Harbor's words: one code of a closed list, each with its status.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::Response;

use crate::{Problem, problems};

/// Harbor's codes, as far as a door of this kind gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request makes no sense.
    BadRequest,
    /// The request makes sense, but not here.
    Unsupported,
    /// Nobody said who they are, or it was not right.
    Unauthorized,
    /// They may not.
    Forbidden,
    /// They may not, because of a rule that has its own words.
    Denied,
    /// There is none.
    NotFound,
    /// The path does not take the method.
    MethodNotAllowed,
    /// There is one already.
    Conflict,
    /// Something else must be done before.
    Precondition,
    /// The body is too large.
    TooLarge,
    /// The body is not JSON, and says so.
    UnsupportedMediaType,
    /// The body or a parameter cannot be read.
    Unprocessable,
    /// Too much at once.
    TooManyRequests,
    /// Not now.
    Unavailable,
    /// There is no room left.
    Full,
    /// Something went wrong inside.
    Inside,
}

impl Code {
    /// The code in the body. All that is the server's fault has one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::Unsupported => "UNSUPPORTED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::Denied => "DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Conflict => "CONFLICT",
            Self::Precondition => "PRECONDITION",
            Self::TooLarge => "REQUEST_ENTITY_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::Unprocessable => "UNPROCESSABLE_ENTITY",
            Self::TooManyRequests => "TOO_MANY_REQUEST",
            Self::Unavailable | Self::Full | Self::Inside => "UNKNOWN",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::Unsupported => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Precondition => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Inside => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A no: the code for programs, the words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What went wrong.
    pub code: Code,
    /// What went wrong and what to do.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// The answer. What went wrong inside is not told: the words are for the log.
    #[must_use]
    pub fn answer(&self) -> Response {
        let message = match self.code {
            Code::Inside => Cow::Borrowed("internal server error"),
            _ => self.message.clone(),
        };
        problems(self.code.status(), &[Problem { code: self.code.as_str(), message, detail: None }])
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn body(refusal: &Refusal) -> String {
        let answer = refusal.answer();
        assert_eq!(answer.status(), refusal.code.status());
        let bytes = answer.into_body().collect().await.expect("whole").to_bytes();
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn says_code_and_words_but_nothing_of_the_inside() {
        let missing = Refusal::new(Code::NotFound, "project x not found");
        assert_eq!(
            body(&missing).await,
            r#"{"errors":[{"code":"NOT_FOUND","message":"project x not found"}]}"#
        );
        let broken = Refusal::new(Code::Inside, "row 7 of table secrets is corrupt");
        assert_eq!(
            body(&broken).await,
            r#"{"errors":[{"code":"UNKNOWN","message":"internal server error"}]}"#
        );
    }
}
