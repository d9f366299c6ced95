//! `GET /usergroups/search`.

use axum::response::Response;

use super::list::ORDERS;
use super::view::FoundView;
use crate::call::Call;
use crate::error::Error;

/// One page of the groups with this in their name, for everybody who has an account.
pub(crate) async fn search(call: &Call<'_>) -> Result<Response, Error> {
    let name = call.demanded("groupname")?;
    let page = call.page()?;
    let found = call.management.search_groups(&name, call.window(page, ORDERS)?).await?;
    let views: Vec<_> = found.items.iter().map(FoundView::from).collect();
    Ok(call.listed(page, &views, found.total))
}
