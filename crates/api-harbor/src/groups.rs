//! `/usergroups`: groups of users, which identity providers fill and projects give roles to.

mod create;
mod delete;
mod get;
mod list;
mod search;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use search::search;
pub(crate) use update::update;

use berth_domain::GroupId;
use berth_http::rest::{Code, Refusal};

use crate::call::Call;

/// The group that the path names.
fn id(call: &Call<'_>) -> Result<GroupId, Refusal> {
    match call.number("group_id")? {
        id if id > 0 => Ok(GroupId(id)),
        _ => Err(Refusal::new(Code::BadRequest, "group_id in path must be above 0")),
    }
}
