//! The body of an answer that says no: `{"errors":[{code,message,detail}]}`, the form of OCI and of Harbor alike.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

/// One entry of the list.
#[derive(Clone, Debug, Serialize)]
pub struct Problem<'a> {
    /// What went wrong, for programs.
    pub code: &'a str,
    /// What went wrong and what to do, for people.
    pub message: Cow<'a, str>,
    /// More for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [Problem<'a>],
}

/// The body of an answer with problems, by itself.
#[must_use]
pub fn problems_text(problems: &[Problem<'_>]) -> String {
    // Strings, numbers and JSON values always serialise.
    serde_json::to_string(&Errors { errors: problems }).unwrap_or_default()
}

/// An answer with problems as its body.
#[must_use]
pub fn problems(status: StatusCode, problems: &[Problem<'_>]) -> Response {
    let body = problems_text(problems);
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}
