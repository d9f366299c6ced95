//! `PUT /users/{user_id}/password`.

use axum::response::Response;
use berth_access::Secret;
use berth_http::rest::Fields;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Changes a password; one's own with the old one beside it.
pub(crate) async fn set_password(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let old = fields.text("old_password")?.map(Secret::new);
    let new = Secret::new(fields.text("new_password")?.unwrap_or_default());
    call.management.set_password(id, old, new).await?;
    Ok(answer::done())
}
