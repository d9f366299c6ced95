//! `GET /projects/{project_name_or_id}`.

use axum::response::Response;

use super::view::ProjectView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One project.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.management.project(&call.project()).await?;
    Ok(answer::json(&ProjectView::from(&page)))
}
