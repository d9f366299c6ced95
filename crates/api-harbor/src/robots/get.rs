//! `GET /robots/{robot_id}`.

use axum::response::Response;

use super::view::RobotView;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

/// One robot.
pub(crate) async fn get(call: &Call<'_>) -> Result<Response, Error> {
    let page = call.management.robot(super::id(call)?).await?;
    Ok(answer::json(&RobotView::from(&page)))
}
