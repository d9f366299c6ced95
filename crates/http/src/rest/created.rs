//! Where something that was made can be found.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use std::fmt::Display;

/// The place of `name` in the collection that a request was sent to: `<path>/<name>`, relative to the server, as Harbor says it.
#[must_use]
pub fn location(path: &str, name: &dyn Display) -> String {
    format!("{}/{name}", path.trim_end_matches('/'))
}

/// 201 without a body.
///
/// # Panics
/// If `location` holds what cannot stand in a header; paths of requests, numbers and checked names never do.
#[must_use]
pub fn created(location: String) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::CREATED;
    let location = HeaderValue::try_from(location).expect("paths and names can stand in a header");
    answer.headers_mut().insert(LOCATION, location);
    answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_counts_for_nothing() {
        assert_eq!(location("/api/v2.0/users", &3), "/api/v2.0/users/3");
        assert_eq!(location("/api/v2.0/users/", &3), "/api/v2.0/users/3");
        assert_eq!(created("/a/1".to_owned()).headers()[LOCATION], "/a/1");
    }
}
