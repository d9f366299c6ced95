//! How a user looks in Harbor's API. What is empty is left out, as Harbor does.

use berth_domain::User;
use berth_http::rest::time;
use berth_management::FoundUser;
use serde::Serialize;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct UserView<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    realname: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    user_id: i64,
    username: &'a str,
    sysadmin_flag: bool,
    /// No provider gives this yet.
    admin_role_in_auth: bool,
    creation_time: String,
    update_time: String,
}

/// As much as everybody may know.
#[derive(Debug, Serialize)]
pub(super) struct FoundView<'a> {
    user_id: i64,
    username: &'a str,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            email: &user.email,
            realname: &user.realname,
            comment: &user.comment,
            user_id: user.id.0,
            username: &user.username,
            sysadmin_flag: user.sysadmin,
            admin_role_in_auth: false,
            creation_time: time(user.created_at),
            update_time: time(user.updated_at),
        }
    }
}

impl<'a> From<&'a FoundUser> for FoundView<'a> {
    fn from(user: &'a FoundUser) -> Self {
        Self { user_id: user.id.0, username: &user.username }
    }
}
