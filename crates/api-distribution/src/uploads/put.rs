//! `PUT /v2/<name>/blobs/uploads/<id>?digest=…`: closes an upload, with a last chunk or without (end-6).

use axum::response::Response;
use berth_http::RequestBody;
use berth_oci::{Digest, RepositoryName};
use uuid::Uuid;

use crate::call::Call;
use crate::error::Error;
use crate::uploads::{self, position};
use crate::{answer, blobs};

/// 201 with the path of the blob.
pub(crate) async fn put(
    call: &Call<'_>,
    repository: &RepositoryName,
    id: Uuid,
    body: RequestBody,
) -> Result<Response, Error> {
    let digest: Digest = call.parameter("digest").ok_or(Error::NoDigest)?.parse()?;
    let position = position::of(call, &body)?;
    // Closing what was sent before takes no place: refusing it would throw the sent bytes away.
    let _slot = if body.is_empty() { None } else { Some(call.blob_slot()?) };
    let ticket = uploads::ticket(call, id);
    let body = body.into_incoming(call.door.settings.body_timeout);
    let finished = call.registry.finish_upload(repository, &ticket, digest, position, body).await;
    let finished = finished.map_err(|error| Error::of_upload(error, repository, ticket))?;
    Ok(answer::created(blobs::location(repository, &finished.digest), &finished.digest))
}
