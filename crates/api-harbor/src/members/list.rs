//! `GET /projects/{project_name_or_id}/members`.

use axum::response::Response;
use berth_management::MemberOrder;

use super::view::MemberView;
use crate::call::Call;
use crate::error::Error;

const ORDERS: &[(&str, MemberOrder)] = &[("entity_name", MemberOrder::EntityName), ("id", MemberOrder::Id)];

/// One page of a project's members.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.page()?;
    let name = call.parameter("entityname")?;
    let window = call.window(page, ORDERS)?;
    let listed = call.management.members(&call.project(), name.as_deref(), window).await?;
    let views: Vec<_> = listed.items.iter().map(MemberView::from).collect();
    Ok(call.listed(page, &views, listed.total))
}
