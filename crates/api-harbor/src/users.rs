//! `/users`, and `/c/userExists`: people's accounts.

mod cli_secret;
mod create;
mod current;
mod delete;
mod exists;
mod get;
mod list;
mod password;
mod permissions;
mod search;
mod sysadmin;
mod update;
mod view;

pub(crate) use cli_secret::set_cli_secret;
pub(crate) use create::create;
pub(crate) use current::current;
pub(crate) use delete::delete;
pub(crate) use exists::exists;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use password::set_password;
pub(crate) use permissions::permissions;
pub(crate) use search::search;
pub(crate) use sysadmin::set_sysadmin;
pub(crate) use update::update;

use berth_domain::UserId;
use berth_http::rest::Refusal;

use crate::call::Call;

/// The user that the path names.
fn id(call: &Call<'_>) -> Result<UserId, Refusal> {
    call.number("user_id").map(UserId)
}
