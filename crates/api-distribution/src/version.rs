//! The header by which Docker's clients know that they speak with a registry.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Its name.
pub static HEADER: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// Its only value.
pub const SPOKEN: &str = "registry/2.0";

/// Says it in the header of an answer.
pub fn say(headers: &mut HeaderMap) {
    headers.insert(&HEADER, HeaderValue::from_static(SPOKEN));
}
