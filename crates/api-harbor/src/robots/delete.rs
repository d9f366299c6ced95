//! `DELETE /robots/{robot_id}`.

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Takes a robot away.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Response, Error> {
    call.management.delete_robot(super::id(call)?).await?;
    Ok(answer::done())
}
