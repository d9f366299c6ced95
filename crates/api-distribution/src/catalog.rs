//! `GET /v2/_catalog`: the repositories that the caller may see (Docker's API; reserved by the distribution-spec).

use axum::http::header::LINK;
use axum::response::Response;
use berth_http::next_link;
use berth_oci::RepositoryName;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;
use crate::page::PageRequest;

#[derive(Serialize)]
struct Repositories {
    repositories: Vec<RepositoryName>,
}

/// One page in byte order, with a `Link` if there is more.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let request = PageRequest::of(call)?;
    let page = call.registry.catalog(request.last.as_deref(), request.n.max(1)).await?;
    if request.n == 0 {
        return Ok(answer::json(&Repositories { repositories: Vec::new() }));
    }
    let next = page
        .items
        .last()
        .filter(|_| page.more)
        .map(|last| next_link("/v2/_catalog", &[("n", &request.n.to_string()), ("last", last.as_str())]));
    let mut answer = answer::page(&Repositories { repositories: page.items }, page.room);
    if let Some(next) = next {
        answer.headers_mut().insert(LINK, next);
    }
    Ok(answer)
}
