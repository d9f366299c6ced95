//! `PUT /v2/<name>/manifests/<tag-or-digest>[?tag=…]`: keeps a manifest and points tags at it (end-7).

use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::Response;
use berth_http::{CollectError, RequestBody, query};
use berth_oci::{MediaType, Reference, RepositoryName, Tag};
use berth_registry::PushManifest;

use crate::answer::{self, SUBJECT, TAG};
use crate::call::Call;
use crate::condition;
use crate::error::Error;

/// More tags than this in one request get 414 (the distribution-spec asks for at least ten).
const MOST_TAGS: usize = 100;

/// 201 with the path by digest, the subject that was seen, and each tag of the query.
pub(crate) async fn put(
    call: &Call<'_>,
    repository: &RepositoryName,
    reference: &Reference,
    body: RequestBody,
) -> Result<Response, Error> {
    let tags = tags(call)?;
    let media_type = media_type(call)?;
    let condition = condition::of(call.headers(), reference, !tags.is_empty())?;
    call.registry.check_push(repository).await?;
    let _slot = call.manifest_slot()?;
    let limit = call.door.settings.manifest_limit;
    let pool = call.door.registry.incoming();
    let content = body.collect(call.door.settings.body_timeout, limit, pool).await;
    let content = content.map_err(|error| match error {
        CollectError::TooLong => berth_registry::Error::ManifestTooLarge { limit },
        CollectError::Body(error) => error.into(),
    })?;
    let push = PushManifest { reference: reference.clone(), tags, media_type, content, condition };
    let pushed = call.registry.push_manifest(repository, push).await?;
    let location = format!("/v2/{repository}/manifests/{}", pushed.digest);
    let mut answer = answer::created(location, &pushed.digest);
    let headers = answer.headers_mut();
    headers.insert(ETAG, answer::entity_tag(&pushed.digest));
    if let Some(subject) = pushed.subject {
        headers.insert(&SUBJECT, answer::value(subject.to_string()));
    }
    for tag in &pushed.tags {
        headers.append(&TAG, answer::value(tag.to_string()));
    }
    Ok(answer)
}

/// The tags of the query, each once, in their order.
fn tags(call: &Call<'_>) -> Result<Vec<Tag>, Error> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in query::all(call.query(), "tag") {
        let tag = tag.parse()?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MOST_TAGS {
            return Err(Error::TooManyTags { limit: MOST_TAGS });
        }
    }
    Ok(tags)
}

fn media_type(call: &Call<'_>) -> Result<Option<MediaType>, Error> {
    let header = call.headers().get(CONTENT_TYPE);
    let text = header.map(|value| value.to_str().unwrap_or_default().trim());
    Ok(text.filter(|text| !text.is_empty()).map(str::parse).transpose()?)
}
