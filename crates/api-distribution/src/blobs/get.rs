//! `GET /v2/<name>/blobs/<digest>`: a blob, whole or in part (end-2).

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_RANGE, RANGE};
use axum::response::Response;
use berth_http::outgoing;
use berth_oci::range::{Selection, select};
use berth_oci::{ByteRange, Digest, RepositoryName};
use berth_registry::BlobInfo;

use crate::blobs::{about, multipart};
use crate::call::Call;
use crate::error::Error;
use crate::{answer, preconditions};

/// The blob or the ranges that the request asks for.
pub(crate) async fn get(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    let blob = call.registry.blob(repository, digest).await?;
    if preconditions::not_modified(call.headers(), &blob.digest)? {
        return Ok(answer::not_modified(&blob.digest));
    }
    match wanted(call, &blob) {
        Selection::Whole => whole(call, repository, &blob).await,
        Selection::Unsatisfiable => Err(Error::Range { size: blob.size }),
        Selection::Parts(parts) => match parts.as_slice() {
            [range] => part(call, repository, &blob, *range).await,
            _ => multipart::parts(call, repository, &blob, parts).await,
        },
    }
}

fn wanted(call: &Call<'_>, blob: &BlobInfo) -> Selection {
    let range = call.headers().get(RANGE).and_then(|range| range.to_str().ok());
    match range {
        Some(range) if preconditions::range_counts(call.headers(), &blob.digest) => select(range, blob.size),
        _ => Selection::Whole,
    }
}

async fn whole(call: &Call<'_>, repository: &RepositoryName, blob: &BlobInfo) -> Result<Response, Error> {
    if blob.size == 0 {
        return Ok(about(blob, StatusCode::OK, 0, Body::empty()));
    }
    let all = ByteRange { start: 0, end: blob.size };
    let body = read(call, repository, blob, all).await?;
    Ok(about(blob, StatusCode::OK, blob.size, body))
}

async fn part(
    call: &Call<'_>,
    repository: &RepositoryName,
    blob: &BlobInfo,
    range: ByteRange,
) -> Result<Response, Error> {
    let body = read(call, repository, blob, range).await?;
    let mut answer = about(blob, StatusCode::PARTIAL_CONTENT, range.len(), body);
    answer.headers_mut().insert(CONTENT_RANGE, answer::value(content_range(range, blob.size)));
    Ok(answer)
}

async fn read(
    call: &Call<'_>,
    repository: &RepositoryName,
    blob: &BlobInfo,
    range: ByteRange,
) -> Result<Body, Error> {
    let content = call.registry.read_blob(repository, &blob.digest, range, call.lent()).await?;
    Ok(outgoing(content.stream, range.len()))
}

/// A range as `Content-Range` says it: both ends inclusive.
pub(super) fn content_range(range: ByteRange, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}
