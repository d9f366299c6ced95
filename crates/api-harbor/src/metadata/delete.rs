//! `DELETE /projects/{project_name_or_id}/metadatas/{meta_name}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Takes a setting away.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.delete_setting(&call.project(), &call.argument("meta_name")).await?;
    Ok(answer::done())
}
