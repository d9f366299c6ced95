//! `DELETE /usergroups/{group_id}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Takes a group away, and the roles that it gave.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.delete_group(super::id(call)?).await?;
    Ok(answer::done())
}
