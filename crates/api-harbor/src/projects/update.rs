//! `PUT /projects/{project_name_or_id}`.

use axum::response::Response;
use berth_http::rest::Fields;

use super::wanted;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Changes some of a project's settings. Name, owner and quota stay, whatever is said of them, as in Harbor.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let settings = wanted::settings(&fields)?;
    wanted::refuse_what_is_not_there(&fields)?;
    call.management.update_project(&call.project(), &settings).await?;
    Ok(answer::done())
}
