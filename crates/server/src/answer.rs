//! Answers that the server gives by itself, before or instead of a door.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use berth_http::{Problem, RouteName, problems};
use berth_oci::ErrorCode;

use crate::refusal::Refusal;

/// The header is longer than the limit: what the parser of HTTP/1.1 refuses by itself.
pub(crate) fn header_too_long() -> Response {
    let too_long = Refusal::HeaderTooLong;
    refusal(too_long.status(), too_long.code(), too_long.message(), too_long.route())
}

/// The path and query are longer than the limit.
pub(crate) fn uri_too_long(limit: u64) -> Response {
    let message =
        format!("the path and query are longer than {limit} bytes: no name or list needs that much");
    refusal(StatusCode::URI_TOO_LONG, ErrorCode::Unsupported, message, "uri-too-long")
}

/// The request names no host, or more than one.
pub(crate) fn no_host() -> Response {
    let message = "a request names the host that it is for, once: send one Host field";
    let mut answer = refusal(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message, "no-host");
    // Whoever sends such requests may disagree on where the next one begins.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// The body is coded in a way that nobody here undoes.
pub(crate) fn unknown_coding() -> Response {
    let message = "a body is taken as it is, or in chunks: leave out every other Transfer-Encoding";
    let mut answer = refusal(StatusCode::NOT_IMPLEMENTED, ErrorCode::Unsupported, message, "unknown-coding");
    // As above.
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A handler came to no end.
pub(crate) fn failed() -> Response {
    let message = "something went wrong inside: the log has more under this request's id";
    refusal(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, message, "failed")
}

/// Nothing is at this path.
pub(crate) fn nothing_here() -> Response {
    let message = "nothing is here: the registry's API begins at /v2/";
    refusal(StatusCode::NOT_FOUND, ErrorCode::Unsupported, message, "nothing")
}

/// This can only be read.
pub(crate) fn read_only() -> Response {
    let message = "this can only be read: use GET";
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message, "read-only");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

fn refusal(
    status: StatusCode,
    code: ErrorCode,
    message: impl Into<Cow<'static, str>>,
    route: &'static str,
) -> Response {
    let problem = Problem { code: code.as_str(), message: message.into(), detail: None };
    let mut answer = problems(status, &[problem]);
    answer.extensions_mut().insert(RouteName(route));
    answer
}

/// A text.
pub(crate) fn text(
    status: StatusCode,
    kind: &'static str,
    text: impl Into<Body>,
    route: &'static str,
) -> Response {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.extensions_mut().insert(RouteName(route));
    answer
}
