//! `DELETE /v2/<name>/blobs/<digest>`: takes a blob out of the repository (end-10).

use axum::http::StatusCode;
use axum::response::Response;
use berth_oci::{Digest, RepositoryName};

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// 202; what a live manifest needs stays, with 405.
pub(crate) async fn delete(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response, Error> {
    call.registry.delete_blob(repository, digest).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
