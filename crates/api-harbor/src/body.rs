//! The body of a request: bounded, and JSON or a form.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use berth_access::Caller;
use berth_http::rest::{Code, Refusal};
use berth_http::{CollectError, RequestBody};
use bytes::Bytes;

use crate::door::Inner;
use crate::route::Operation;

/// The longest body of somebody who is nobody, in bytes: names and passwords fit.
const STRANGERS: usize = 16 << 10;

/// All of the body of a request that may have one; nothing for the others, whatever they send. Who is nobody and may do nothing here
/// is told so before anything is kept.
pub(crate) async fn read(
    door: &Inner,
    operation: Operation,
    caller: &Caller,
    parts: &Parts,
    body: RequestBody,
) -> Result<Bytes, Refusal> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::DELETE) || body.is_empty() {
        return Ok(Bytes::new());
    }
    let mut limit = door.settings.body_limit;
    if caller.is_anonymous() {
        if !operation.strangers {
            return Err(Refusal::new(Code::Unauthorized, "this takes an account: log in first"));
        }
        limit = limit.min(STRANGERS);
    }
    check_type(parts)?;
    body.collect(door.settings.body_timeout, limit, &door.buffers).await.map_err(|error| match error {
        CollectError::TooLong => {
            Refusal::new(Code::TooLarge, format!("the body must not be longer than {limit} bytes"))
        }
        CollectError::Body(error) => Refusal::new(Code::BadRequest, error.to_string()),
    })
}

/// `/api` takes JSON and `/c` takes forms; a request that does not say what it sends is believed.
fn check_type(parts: &Parts) -> Result<(), Refusal> {
    let Some(said) = parts.headers.get(CONTENT_TYPE) else { return Ok(()) };
    let wanted = if parts.uri.path().starts_with("/c/") {
        "application/x-www-form-urlencoded"
    } else {
        "application/json"
    };
    let essence = said.to_str().ok().and_then(|said| said.split(';').next()).unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::UnsupportedMediaType,
        format!("the body must be {wanted}, and Content-Type must say so"),
    ))
}
