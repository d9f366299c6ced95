//! `PUT /users/{user_id}`.

use axum::response::Response;
use berth_http::rest::Fields;
use berth_management::Profile;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Changes what an account says of its person.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let text = |name| fields.text(name).map(|text| text.unwrap_or_default().to_owned());
    let profile = Profile { email: text("email")?, realname: text("realname")?, comment: text("comment")? };
    call.management.update_user(id, profile).await?;
    Ok(answer::done())
}
