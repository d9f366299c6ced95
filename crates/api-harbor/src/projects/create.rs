//! `POST /projects`.

use axum::response::Response;
use berth_http::rest::{Fields, created, location};
use berth_management::NewProject;

use super::wanted;
use crate::call::Call;
use crate::error::Error;

/// Makes a project; where it is, is said by number, or by name to whoever wants that.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let project = NewProject {
        name: fields.text("project_name")?.unwrap_or_default().to_owned(),
        metadata: wanted::settings(&fields)?,
        storage_limit: fields.number("storage_limit")?,
    };
    wanted::refuse_what_is_not_there(&fields)?;
    let id = call.management.create_project(&project).await?;
    let path = call.parts.uri.path();
    let by_name = call.header_flag("x-resource-name-in-location");
    Ok(created(if by_name { location(path, &project.name) } else { location(path, &id.0) }))
}
