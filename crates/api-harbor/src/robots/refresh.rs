//! `PATCH /robots/{robot_id}`.

use axum::response::Response;
use berth_access::Secret;
use berth_http::rest::Fields;
use serde_json::json;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Gives a robot another secret. A generated one is told, once; one that was chosen is not repeated: the field is empty then.
pub(crate) async fn refresh(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let chosen = Fields::of(body.as_ref())?.text("secret")?.filter(|secret| !secret.is_empty());
    let told = call.management.refresh_robot(id, chosen.map(Secret::new)).await?;
    Ok(answer::json(&json!({ "secret": told.as_ref().map_or("", Secret::reveal) })))
}
