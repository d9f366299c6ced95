//! What answers are made of: headers by their names, bodies of JSON, validators.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use berth_oci::Digest;
use berth_registry::Room;
use bytes::Bytes;
use serde::Serialize;

pub(crate) static CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(crate) static UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(crate) static FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(crate) static SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(crate) static TAG: HeaderName = HeaderName::from_static("oci-tag");

/// A header's value out of text that is known to be printable ASCII: names, digests, tags, escaped parameters.
pub(crate) fn value(text: impl Into<Bytes>) -> HeaderValue {
    HeaderValue::from_maybe_shared(text.into())
        .unwrap_or_else(|_| unreachable!("names, digests and numbers can stand in a header"))
}

/// An answer without a body. Its length is said unless it is 204, which never has one.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    answer
}

/// 201 for something that can be found at `location`.
pub(crate) fn created(location: String, digest: &Digest) -> Response {
    let mut answer = empty(StatusCode::CREATED);
    let headers = answer.headers_mut();
    headers.insert(LOCATION, value(location));
    headers.insert(&CONTENT_DIGEST, value(digest.to_string()));
    answer
}

/// 200 with bytes of a type.
pub(crate) fn content(media_type: HeaderValue, content: Bytes) -> Response {
    let length = HeaderValue::from(content.len());
    let mut answer = Response::new(Body::from(content));
    answer.headers_mut().insert(CONTENT_TYPE, media_type);
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

/// 200 with `body` as JSON.
pub(crate) fn json(body: &impl Serialize) -> Response {
    page(body, Room::default())
}

/// 200 with a page of a list as JSON, in the room that was made for it.
pub(crate) fn page(page: &impl Serialize, room: Room) -> Response {
    // Lists of names and descriptors always serialise.
    let bytes = serde_json::to_vec(page).unwrap_or_default();
    content(HeaderValue::from_static("application/json"), room.hold(bytes))
}

/// 304: the client has it already.
pub(crate) fn not_modified(digest: &Digest) -> Response {
    let mut answer = empty(StatusCode::NOT_MODIFIED);
    name_content(answer.headers_mut(), digest);
    answer
}

/// The entity tag of content: its digest, quoted.
pub(crate) fn entity_tag(digest: &Digest) -> HeaderValue {
    value(format!("\"{digest}\""))
}

/// Says which content an answer is about: its digest, which is its entity tag too. One allocation for both.
pub(crate) fn name_content(headers: &mut HeaderMap, digest: &Digest) {
    let quoted = Bytes::from(format!("\"{digest}\""));
    headers.insert(&CONTENT_DIGEST, value(quoted.slice(1..quoted.len() - 1)));
    headers.insert(ETAG, value(quoted));
}
