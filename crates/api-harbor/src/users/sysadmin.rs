//! `PUT /users/{user_id}/sysadmin`.

use axum::response::Response;
use berth_http::rest::Fields;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Makes somebody a system administrator, or no longer one.
pub(crate) async fn set_sysadmin(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let flag = Fields::of(body.as_ref())?.flag("sysadmin_flag")?.unwrap_or(false);
    call.management.set_sysadmin(id, flag).await?;
    Ok(answer::done())
}
