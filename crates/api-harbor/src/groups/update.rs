//! `PUT /usergroups/{group_id}`.

use axum::response::Response;
use berth_http::rest::Fields;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Gives a group another name; its type stays.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let name = Fields::of(body.as_ref())?.text("group_name")?.unwrap_or_default();
    call.management.rename_group(id, name).await?;
    Ok(answer::done())
}
