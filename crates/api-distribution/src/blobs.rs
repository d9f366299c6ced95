//! Blobs.

mod delete;
mod get;
mod head;
mod multipart;

pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use head::head;

use axum::body::Body;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use berth_oci::RepositoryName;
use berth_registry::BlobInfo;

use crate::answer;

/// The path of a blob.
pub(crate) fn location(repository: &RepositoryName, digest: &berth_oci::Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// An answer about a blob, with the headers that GET and HEAD share.
fn about(blob: &BlobInfo, status: StatusCode, length: u64, body: Body) -> Response {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer::name_content(headers, &blob.digest);
    answer
}
