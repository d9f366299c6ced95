//! `GET /users/current`.

use axum::response::Response;

use super::view::UserView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Whoever asks, if they are a person.
pub(crate) async fn current(call: &Call<'_>) -> Result<Response, Error> {
    let user = call.management.current_user().await?;
    Ok(answer::json(&UserView::from(&user)))
}
