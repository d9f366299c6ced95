//! `POST /usergroups`.

use axum::response::Response;
use berth_http::rest::{Fields, created, location};

use crate::call::Call;
use crate::error::Error;

/// Makes a group.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let name = fields.text("group_name")?.unwrap_or_default();
    let group_type = fields.number("group_type")?.unwrap_or_default();
    let dn = fields.text("ldap_group_dn")?.unwrap_or_default();
    let id = call.management.create_group(group_type, name, dn).await?;
    Ok(created(location(call.parts.uri.path(), &id.0)))
}
