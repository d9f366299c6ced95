//! `GET` and `HEAD /v2/<name>/manifests/<tag-or-digest>`: a manifest, byte for byte as it was pushed (end-3).

use axum::http::Method;
use axum::response::Response;
use berth_oci::{Reference, RepositoryName};

use crate::call::Call;
use crate::error::Error;
use crate::{accept, answer, preconditions};

/// The manifest with the type it was pushed as. HEAD differs only in that it does not count as a pull.
pub(crate) async fn get(
    call: &Call<'_>,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Error> {
    let counted = call.parts.method == Method::GET;
    let manifest = call.registry.manifest(repository, reference, counted).await?;
    let media_type = std::str::from_utf8(&manifest.media_type).unwrap_or_default();
    if !accept::takes(call.headers(), media_type) {
        return Err(Error::NotAccepted { stored: media_type.to_owned() });
    }
    if preconditions::not_modified(call.headers(), &manifest.digest)? {
        return Ok(answer::not_modified(&manifest.digest));
    }
    let mut answer = answer::content(answer::value(manifest.media_type), manifest.content);
    answer::name_content(answer.headers_mut(), &manifest.digest);
    Ok(answer)
}
