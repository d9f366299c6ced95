//! `POST /v2/<name>/blobs/uploads/`: starts an upload, uploads with this one request, or mounts (end-4, end-11).

use axum::http::StatusCode;
use axum::response::Response;
use berth_http::RequestBody;
use berth_oci::{Algorithm, Digest, RepositoryName};
use berth_registry::Mount;

use crate::call::Call;
use crate::caller::never_asked;
use crate::error::Error;
use crate::{answer, blobs, uploads};

/// 201 if the blob is there now, else 202 with a session.
pub(crate) async fn start(
    call: &Call<'_>,
    repository: &RepositoryName,
    body: RequestBody,
) -> Result<Response, Error> {
    if let Some(digest) = call.parameter("mount") {
        return mount(call, repository, digest.parse()?).await;
    }
    if let Some(digest) = call.parameter("digest") {
        return upload(call, repository, digest.parse()?, body).await;
    }
    let algorithm: Option<Algorithm> =
        call.parameter("digest-algorithm").map(|name| name.parse()).transpose()?;
    let ticket = call.registry.start_upload(repository, algorithm).await?;
    Ok(uploads::about(StatusCode::ACCEPTED, repository, &ticket, 0))
}

async fn mount(call: &Call<'_>, repository: &RepositoryName, digest: Digest) -> Result<Response, Error> {
    let from = call.parameter("from").map(|from| from.parse::<RepositoryName>());
    let mounted = match from {
        // The first answer names both scopes; a token that was asked for both and lacks one gets a session instead.
        Some(Ok(from)) if never_asked(call.caller, &from) => return Err(Error::Scope),
        Some(Ok(from)) => call.registry.mount_blob(repository, &digest, Some(&from)).await?,
        // A source that cannot exist here: clients offer names of other registries too.
        Some(Err(_)) => Mount::Upload(call.registry.start_upload(repository, None).await?),
        None => call.registry.mount_blob(repository, &digest, None).await?,
    };
    Ok(match mounted {
        Mount::Mounted(digest) => answer::created(blobs::location(repository, &digest), &digest),
        Mount::Upload(ticket) => uploads::about(StatusCode::ACCEPTED, repository, &ticket, 0),
    })
}

async fn upload(
    call: &Call<'_>,
    repository: &RepositoryName,
    digest: Digest,
    body: RequestBody,
) -> Result<Response, Error> {
    let _slot = call.blob_slot()?;
    let body = body.into_incoming(call.door.settings.body_timeout);
    let finished = call.registry.upload_blob(repository, digest, body).await?;
    Ok(answer::created(blobs::location(repository, &finished.digest), &finished.digest))
}
