//! `GET /users/{user_id}`.

use axum::response::Response;

use super::view::UserView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One user.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let user = call.management.user(super::id(call)?).await?;
    Ok(answer::json(&UserView::from(&user)))
}
