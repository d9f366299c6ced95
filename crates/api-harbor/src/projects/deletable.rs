//! `GET /projects/{project_name_or_id}/_deletable`.

use axum::response::Response;
use serde::Serialize;

use crate::answer;
use crate::call::Call;
use crate::error::Error;

#[derive(Debug, Serialize)]
struct DeletableView {
    deletable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// Whether a project can be deleted now, and if not, why.
pub(crate) async fn deletable(call: &Call<'_>) -> Result<Response, Error> {
    let message = call.management.project_deletable(&call.project()).await?;
    Ok(answer::json(&DeletableView { deletable: message.is_none(), message }))
}
