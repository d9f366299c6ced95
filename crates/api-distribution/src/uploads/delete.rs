//! `DELETE /v2/<name>/blobs/uploads/<id>`: cancels an upload (end-14).

use axum::http::StatusCode;
use axum::response::Response;
use berth_oci::RepositoryName;
use uuid::Uuid;

use crate::call::Call;
use crate::error::Error;
use crate::{answer, uploads};

/// 204; the bytes are gone.
pub(crate) async fn delete(
    call: &Call<'_>,
    repository: &RepositoryName,
    id: Uuid,
) -> Result<Response, Error> {
    call.registry.cancel_upload(repository, &uploads::ticket(call, id)).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
