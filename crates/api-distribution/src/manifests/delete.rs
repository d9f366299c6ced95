//! `DELETE /v2/<name>/manifests/<tag-or-digest>`: removes a tag, or a manifest with every tag on it (end-9).

use axum::http::StatusCode;
use axum::response::Response;
use berth_oci::{Reference, RepositoryName};

use crate::call::Call;
use crate::error::Error;
use crate::{answer, condition};

/// 202; gone at once for everyone.
pub(crate) async fn delete(
    call: &Call<'_>,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Error> {
    let condition = condition::of(call.headers(), reference, false)?;
    match reference {
        Reference::Tag(tag) => {
            call.registry.delete_tag(repository, tag, condition).await?;
        }
        Reference::Digest(digest) => {
            call.registry.delete_manifest(repository, digest).await?;
        }
    }
    Ok(answer::empty(StatusCode::ACCEPTED))
}
