//! `/robots`: machines' accounts.

mod create;
mod delete;
mod get;
mod list;
mod refresh;
mod update;
mod view;
mod wanted;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use refresh::refresh;
pub(crate) use update::update;

use berth_domain::RobotId;
use berth_http::rest::Refusal;

use crate::call::Call;

/// The robot that the path names.
fn id(call: &Call<'_>) -> Result<RobotId, Refusal> {
    call.number("robot_id").map(RobotId)
}
