//! `GET /v2/`: whether this speaks the API, and later whether the credentials are good (end-1).

use axum::http::HeaderValue;
use axum::response::Response;
use bytes::Bytes;

use crate::answer;

/// Yes.
pub(crate) fn get() -> Response {
    answer::content(HeaderValue::from_static("application/json"), Bytes::from_static(b"{}"))
}
