//! `PUT /users/{user_id}/cli_secret`.

use axum::response::Response;
use berth_access::Secret;
use berth_http::rest::Fields;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Sets the secret that does for the registry in place of the password.
pub(crate) async fn set_cli_secret(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let secret = Secret::new(Fields::of(body.as_ref())?.text("secret")?.unwrap_or_default());
    call.management.set_cli_secret(id, secret).await?;
    Ok(answer::done())
}
