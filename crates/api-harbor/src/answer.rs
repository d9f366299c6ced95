//! What answers are made of.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

/// 200 without a body: what Harbor says after a change.
pub(crate) fn done() -> Response {
    let mut answer = Response::new(Body::empty());
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    answer
}

/// 200 with JSON.
pub(crate) fn json(body: &impl Serialize) -> Response {
    with_json(StatusCode::OK, body)
}

/// JSON under another status.
pub(crate) fn with_json(status: StatusCode, body: &impl Serialize) -> Response {
    // Texts, numbers, flags and lists of them always serialise.
    content(status, "application/json", serde_json::to_vec(body).unwrap_or_default())
}

/// 200 with text.
pub(crate) fn text(text: &'static str) -> Response {
    content(StatusCode::OK, "text/plain; charset=utf-8", text.into())
}

fn content(status: StatusCode, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let length = HeaderValue::from(bytes.len());
    let mut answer = Response::new(Body::from(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}
