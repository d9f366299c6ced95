//! `/projects/{project_name_or_id}/members`: who has which role.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use update::update;

use berth_domain::MemberId;
use berth_http::rest::Refusal;

use crate::call::Call;

/// The membership that the path names.
fn id(call: &Call<'_>) -> Result<MemberId, Refusal> {
    call.number("mid").map(MemberId)
}
