//! `POST /projects/{project_name_or_id}/members`.

use axum::response::Response;
use berth_http::rest::{Fields, Refusal, created, location};
use berth_management::NewMember;

use crate::call::Call;
use crate::error::Error;

/// Gives a user or a group a role.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let wanted = read(&Fields::of(body.as_ref())?)?;
    let id = call.management.add_member(&call.project(), &wanted).await?;
    Ok(created(location(call.parts.uri.path(), &id.0)))
}

fn read(fields: &Fields<'_>) -> Result<NewMember, Refusal> {
    let mut wanted =
        NewMember { role: fields.number("role_id")?.unwrap_or_default(), ..NewMember::default() };
    if let Some(user) = fields.object("member_user")? {
        wanted.user_id = user.number("user_id")?;
        wanted.username = user.text("username")?.map(str::to_owned);
    }
    if let Some(group) = fields.object("member_group")? {
        wanted.group_id = group.number("id")?;
        wanted.group_name = group.text("group_name")?.map(str::to_owned);
        wanted.group_type = group.number("group_type")?;
        wanted.ldap_group_dn = group.text("ldap_group_dn")?.map(str::to_owned);
    }
    Ok(wanted)
}
