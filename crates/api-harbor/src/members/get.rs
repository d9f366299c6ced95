//! `GET /projects/{project_name_or_id}/members/{mid}`.

use axum::response::Response;

use super::view::MemberView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One member.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let member = call.management.member(&call.project(), super::id(call)?).await?;
    Ok(answer::json(&MemberView::from(&member)))
}
