//! `POST /projects/{project_name_or_id}/metadatas/`.

use axum::response::Response;
use berth_http::rest::{Code, Fields, Refusal};

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Adds a setting that is not there yet.
pub(crate) async fn add(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let pairs = Fields::of(body.as_ref())?.texts()?;
    let [(key, value)] = pairs[..] else {
        return Err(Refusal::new(Code::BadRequest, "the body must have one key with its value").into());
    };
    call.management.add_setting(&call.project(), key, value).await?;
    Ok(answer::done())
}
