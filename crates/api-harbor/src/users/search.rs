//! `GET /users/search`.

use axum::response::Response;

use super::view::FoundView;
use crate::call::Call;
use crate::error::Error;

/// One page of the accounts with this in their name, the closest first, for everybody who has one.
pub(crate) async fn search(call: &Call<'_>) -> Result<Response, Error> {
    let name = call.demanded("username")?;
    let page = call.page()?;
    let found = call.management.search_users(&name, page.offset(), page.size).await?;
    let views: Vec<_> = found.items.iter().map(FoundView::from).collect();
    Ok(call.listed(page, &views, found.total))
}
