//! `GET /projects`.

use axum::response::Response;
use berth_http::rest::Refusal;
use berth_management::{ProjectFilter, ProjectOrder};

use super::view::ProjectView;
use crate::call::Call;
use crate::error::Error;

const ORDERS: &[(&str, ProjectOrder)] = &[
    ("name", ProjectOrder::Name),
    ("creation_time", ProjectOrder::CreatedAt),
    ("project_id", ProjectOrder::Id),
];

/// One page of the projects that the caller may see.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.page()?;
    let window = call.window(page, ORDERS)?;
    let listed = call.management.projects(&filter(call)?, window).await?;
    let views: Vec<_> = listed.items.iter().map(ProjectView::from).collect();
    Ok(call.listed(page, &views, listed.total))
}

/// What `q` asks, and the parameters that Harbor takes beside it; those win.
fn filter(call: &Call<'_>) -> Result<ProjectFilter, Refusal> {
    let mut keywords = call.keywords()?;
    let (name, name_like) = keywords.take_exact_or_fuzzy("name")?;
    let owner = keywords.take_exact("owner")?;
    let public = keywords.take("public").map(|asked| asked.flag("public")).transpose()?;
    keywords.nothing_else()?;
    let also = |name| call.parameter(name).map(|value| value.map(String::from));
    Ok(ProjectFilter {
        name,
        name_like: also("name")?.or(name_like),
        public: call.flag("public")?.or(public),
        owner: also("owner")?.map_or(owner, |owner| vec![owner]),
    })
}
