//! `POST /users`.

use axum::response::Response;
use berth_access::Secret;
use berth_http::rest::{Fields, created, location};
use berth_management::NewUser;

use crate::call::Call;
use crate::error::Error;

/// Makes an account.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let fields = Fields::of(body.as_ref())?;
    let text = |name| fields.text(name).map(|text| text.unwrap_or_default().to_owned());
    let user = NewUser {
        username: text("username")?,
        email: text("email")?,
        realname: text("realname")?,
        comment: text("comment")?,
        password: Secret::new(text("password")?),
    };
    let id = call.management.create_user(user).await?;
    Ok(created(location(call.parts.uri.path(), &id.0)))
}
