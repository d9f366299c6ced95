//! `DELETE /projects/{project_name_or_id}/members/{mid}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Takes a role away.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.remove_member(&call.project(), super::id(call)?).await?;
    Ok(answer::done())
}
