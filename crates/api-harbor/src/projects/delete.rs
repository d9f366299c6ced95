//! `DELETE /projects/{project_name_or_id}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Deletes a project without repositories.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.delete_project(&call.project()).await?;
    Ok(answer::done())
}
