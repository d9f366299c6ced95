//! `PUT /robots/{robot_id}`.

use axum::response::Response;
use berth_http::rest::Fields;

use super::wanted;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Changes a robot; its name, its level and its project stay.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let id = super::id(call)?;
    let body = call.json()?;
    let wanted = wanted::read(&Fields::of(body.as_ref())?)?;
    call.management.update_robot(id, &wanted).await?;
    Ok(answer::done())
}
