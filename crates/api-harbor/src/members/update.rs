//! `PUT /projects/{project_name_or_id}/members/{mid}`.

use axum::response::Response;
use berth_domain::RoleId;
use berth_http::rest::Fields;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Gives a member another role.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let role = RoleId(Fields::of(body.as_ref())?.number("role_id")?.unwrap_or_default());
    call.management.set_member_role(&call.project(), id, role).await?;
    Ok(answer::done())
}
