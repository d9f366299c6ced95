//! `GET /projects/{project_name_or_id}/metadatas/`.

use std::collections::BTreeMap;

use axum::response::Response;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// All settings of a project.
pub(crate) async fn list(call: &Call<'_>) -> Result<Response, Error> {
    let settings = call.management.settings(&call.project()).await?;
    let settings: BTreeMap<_, _> = settings.iter().map(|(key, value)| (key.as_str(), value)).collect();
    Ok(answer::json(&settings))
}
