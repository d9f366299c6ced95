//! `PATCH /v2/<name>/blobs/uploads/<id>`: appends a chunk, or all of the blob as a stream (end-5).

use axum::http::StatusCode;
use axum::response::Response;
use berth_http::RequestBody;
use berth_oci::RepositoryName;
use uuid::Uuid;

use crate::call::Call;
use crate::error::Error;
use crate::uploads::{self, position};

/// 202 with how far the upload is now; 416 with the same if the chunk does not continue it.
pub(crate) async fn patch(
    call: &Call<'_>,
    repository: &RepositoryName,
    id: Uuid,
    body: RequestBody,
) -> Result<Response, Error> {
    let position = position::of(call, &body)?;
    let _slot = call.blob_slot()?;
    let ticket = uploads::ticket(call, id);
    let body = body.into_incoming(call.door.settings.body_timeout);
    let written = call.registry.write_chunk(repository, &ticket, position, body).await;
    let status = written.map_err(|error| Error::of_upload(error, repository, ticket))?;
    Ok(uploads::about(StatusCode::ACCEPTED, repository, &status.ticket, status.offset))
}
