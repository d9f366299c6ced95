//! `GET` and `HEAD /v2/<name>/manifests/<tag-or-digest>`: a manifest, byte for byte as it was pushed (end-3).

use axum::http::Method;
use axum::response::Response;
use berth_oci::{Reference, RepositoryName};
use berth_registry::PulledManifest;

use crate::call::Call;
use crate::error::Error;
use crate::{accept, answer, preconditions};

/// The manifest with the type it was pushed as. HEAD differs only in that it does not count as a pull; nor does what is answered
/// without the manifest.
pub(crate) async fn get(
    call: &Call<'_>,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Error> {
    let mut known = Ok(false);
    let is_sent = |manifest: &PulledManifest| {
        known = is_known(call, manifest);
        matches!(known, Ok(false)) && call.parts.method == Method::GET
    };
    let manifest = call.registry.manifest(repository, reference, is_sent).await?;
    if known? {
        return Ok(answer::not_modified(&manifest.digest));
    }
    let mut answer = answer::content(answer::value(manifest.media_type), manifest.content);
    answer::name_content(answer.headers_mut(), &manifest.digest);
    Ok(answer)
}

/// Whether the client has the manifest already. Fails if it does not take its type, or wants another one.
fn is_known(call: &Call<'_>, manifest: &PulledManifest) -> Result<bool, Error> {
    let media_type = std::str::from_utf8(&manifest.media_type).unwrap_or_default();
    if !accept::takes(call.headers(), media_type) {
        return Err(Error::NotAccepted { stored: media_type.to_owned() });
    }
    preconditions::not_modified(call.headers(), &manifest.digest)
}
