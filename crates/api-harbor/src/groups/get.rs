//! `GET /usergroups/{group_id}`.

use axum::response::Response;

use super::view::GroupView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One group.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let group = call.management.group(super::id(call)?).await?;
    Ok(answer::json(&GroupView::from(&group)))
}
