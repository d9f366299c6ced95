//! `GET /v2/<name>/tags/list`: the tags of a repository (end-8).

use axum::http::header::LINK;
use axum::response::Response;
use berth_http::next_link;
use berth_oci::{RepositoryName, Tag};
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;
use crate::page::PageRequest;

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a RepositoryName,
    tags: &'a [Tag],
}

/// One page in byte order, with a `Link` if there is more; `n=0` is an empty page without one.
pub(crate) async fn list(call: &Call<'_>, repository: &RepositoryName) -> Result<Response, Error> {
    let request = PageRequest::of(call)?;
    // Also a page of nothing tells whether the repository exists.
    let page = call.registry.tags(repository, request.last.as_deref(), request.n.max(1)).await?;
    if request.n == 0 {
        return Ok(answer::json(&Tags { name: repository, tags: &[] }));
    }
    let mut answer = answer::page(&Tags { name: repository, tags: &page.items }, page.room);
    if let Some(last) = page.items.last().filter(|_| page.more) {
        let path = format!("/v2/{repository}/tags/list");
        let next = next_link(&path, &[("n", &request.n.to_string()), ("last", last.as_str())]);
        answer.headers_mut().insert(LINK, next);
    }
    Ok(answer)
}
