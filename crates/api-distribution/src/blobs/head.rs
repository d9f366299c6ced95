//! `HEAD /v2/<name>/blobs/<digest>`: whether a blob is there, and its length (end-2). A `Range` is not looked at (RFC 9110 §14.2).

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use berth_oci::{Digest, RepositoryName};

use crate::call::Call;
use crate::error::Error;
use crate::{answer, blobs, preconditions};

/// What GET would say of the whole blob.
pub(crate) async fn head(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    let blob = call.registry.blob(repository, digest).await?;
    if preconditions::not_modified(call.headers(), &blob.digest)? {
        return Ok(answer::not_modified(&blob.digest));
    }
    Ok(blobs::about(&blob, StatusCode::OK, blob.size, Body::empty()))
}
