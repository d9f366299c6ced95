//! `PUT /projects/{project_name_or_id}/metadatas/{meta_name}`.

use axum::response::Response;
use berth_http::rest::{Code, Fields, Refusal};

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// Changes a setting that is there.
pub(crate) async fn update(call: &Call<'_>) -> Result<Response, Error> {
    let key = call.argument("meta_name");
    let body = call.json()?;
    let value = Fields::of(body.as_ref())?.text(&key)?;
    let Some(value) = value else {
        return Err(
            Refusal::new(Code::BadRequest, "the body must have the key of the path with its value").into()
        );
    };
    call.management.update_setting(&call.project(), &key, value).await?;
    Ok(answer::done())
}
