//! `GET /projects/{project_name_or_id}/metadatas/{meta_name}`.

use std::collections::BTreeMap;

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One setting, still as an object.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let (key, value) = call.management.setting(&call.project(), &call.argument("meta_name")).await?;
    Ok(answer::json(&BTreeMap::from([(key.as_str(), value)])))
}
