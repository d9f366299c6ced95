//! `DELETE /users/{user_id}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Takes an account away.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.delete_user(super::id(call)?).await?;
    Ok(answer::done())
}
