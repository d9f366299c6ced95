//! `GET /v2/<name>/blobs/uploads/<id>`: how far an upload has come (end-13).

use axum::http::StatusCode;
use axum::response::Response;
use berth_oci::RepositoryName;
use uuid::Uuid;

use crate::call::Call;
use crate::error::Error;
use crate::uploads;

/// 204 with the bytes that are durable: from there the client goes on.
pub(crate) async fn get(call: &Call<'_>, repository: &RepositoryName, id: Uuid) -> Result<Response, Error> {
    let status = call.registry.upload_status(repository, &uploads::ticket(call, id)).await?;
    Ok(uploads::about(StatusCode::NO_CONTENT, repository, &status.ticket, status.offset))
}
