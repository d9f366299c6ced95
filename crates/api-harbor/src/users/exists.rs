//! `POST /c/userExists`.

use axum::response::Response;
use berth_http::rest::{Code, Refusal, form};
use berth_management::UserField;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Whether a name or an address is taken: `true` or `false`, for a form that is being filled in.
pub(crate) async fn exists(call: &Call<'_>) -> Result<Response, Error> {
    let (field, value) = read(&call.body)?;
    Ok(answer::json(&call.management.user_exists(field, &value).await?))
}

/// `target` and `value` of the form.
fn read(body: &[u8]) -> Result<(UserField, String), Refusal> {
    let refused = |words| Refusal::new(Code::BadRequest, words);
    let form = std::str::from_utf8(body).map_err(|_| refused("the form must be UTF-8"))?;
    let field = match form::first(form, "target").as_deref() {
        Some("username") => UserField::Username,
        Some("email") => UserField::Email,
        _ => return Err(refused("target must be username or email")),
    };
    match form::first(form, "value") {
        Some(value) if !value.contains('\0') => Ok((field, value.into_owned())),
        _ => Err(refused("the form must have a value, without NUL characters")),
    }
}
