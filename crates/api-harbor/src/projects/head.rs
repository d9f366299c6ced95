//! `HEAD /projects?project_name=`.

use axum::response::Response;
use berth_management::ProjectRef;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Whether a project of that name is there, for whoever may know.
pub(crate) async fn head(call: &Call<'_>) -> Result<Response, Error> {
    let named = ProjectRef::parse(&call.demanded("project_name")?, true);
    call.management.project_exists(&named).await?;
    Ok(answer::done())
}
