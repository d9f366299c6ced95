//! Users: people's accounts and what their secrets are kept as. The first migration that knows them brings nobody; `admin`,
//! number 1, is made at the first start.

use async_trait::async_trait;
use berth_domain::{Timestamp, User, UserId};

use crate::{Result, Window};

/// An account with its secrets, for checking who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCredentials {
    /// The account.
    pub user: User,
    /// Its password in the form in which the use case keeps it; `None` if it cannot log in with one.
    pub password: Option<String>,
    /// Its CLI secret, kept likewise.
    pub cli_secret: Option<String>,
}

/// A new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Its name; no live account has it, as its name or its address.
    pub username: String,
    /// Its address; empty, or no live account's address or name.
    pub email: String,
    /// The person's name.
    pub realname: String,
    /// A remark.
    pub comment: String,
    /// Whether it may do everything.
    pub sysadmin: bool,
    /// Its password as it is kept.
    pub password: Option<String>,
}

/// Which accounts a list shows. What is empty does not restrict; all of the rest must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Exactly one of these names; none does not restrict.
    pub username: Vec<String>,
    /// This within the name, in any case of ASCII letters.
    pub username_like: Option<String>,
    /// Exactly one of these addresses.
    pub email: Vec<String>,
    /// This within the address, in any case of ASCII letters.
    pub email_like: Option<String>,
    /// Only numbers above this one.
    pub after: Option<UserId>,
}

/// By what a list of accounts is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// By number.
    #[default]
    Id,
    /// By name, in byte order.
    Username,
    /// By when it was made, then by number.
    CreatedAt,
    /// The shortest name first, then by name: what is closest to a text that all have in their names.
    Closest,
}

/// What became of a change that must not meet another row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added<T> {
    /// It is there now, under this number.
    Added(T),
    /// A live row has the same name; nothing happened.
    Exists,
}

/// Looking at users. Deleted ones are not there.
#[async_trait]
pub trait UserReads {
    /// The live account of that number.
    async fn user(&self, id: UserId) -> Result<Option<User>>;

    /// The live account of that exact name, with its secrets.
    async fn user_credentials(&self, username: &str) -> Result<Option<UserCredentials>>;

    /// The live account that logs in with this: the one of that exact name, else the one of that exact address. One look-up either
    /// way, so that its time says nothing of which names there are.
    async fn user_by_login(&self, login: &str) -> Result<Option<UserCredentials>>;

    /// Some live accounts.
    async fn users(&self, filter: &UserFilter, window: Window<UserOrder>) -> Result<Vec<User>>;

    /// How many live accounts the filter lets through.
    async fn count_users(&self, filter: &UserFilter) -> Result<u64>;

    /// The live system administrator with the lowest number.
    async fn first_sysadmin(&self) -> Result<Option<UserId>>;
}

/// Changing users. `at` becomes the row's `updated_at`. What gives a `bool` says whether the account was there.
///
/// What moves `valid_after` moves it on, to `at` or, if a clock that was ahead set it later, by a microsecond: so every such change
/// ends what was issued before it.
#[async_trait]
pub trait UserWrites {
    /// Makes an account with the next number, unless it would log in with what another live one logs in with. Numbers of accounts made
    /// here begin at 3.
    async fn add_user(&mut self, user: &NewUser, at: Timestamp) -> Result<Added<UserId>>;

    /// Makes account 1 if there is none. Whether it was made: only one process sees `true`.
    async fn ensure_admin(&mut self, admin: &NewUser, at: Timestamp) -> Result<bool>;

    /// Changes address, name and remark. `None` if the account is not there, [`Added::Exists`] if another live one has
    /// the address, or has it as its name.
    async fn set_user_profile(
        &mut self,
        id: UserId,
        email: &str,
        realname: &str,
        comment: &str,
        at: Timestamp,
    ) -> Result<Option<Added<UserId>>>;

    /// Changes the password and moves `valid_after`.
    async fn set_user_password(&mut self, id: UserId, password: &str, at: Timestamp) -> Result<bool>;

    /// Keeps the same password in a newer form, if it is still kept as `from`; `valid_after` stays.
    async fn rehash_user_password(&mut self, id: UserId, from: &str, to: &str) -> Result<bool>;

    /// Changes the CLI secret and moves `valid_after`.
    async fn set_user_cli_secret(&mut self, id: UserId, secret: &str, at: Timestamp) -> Result<bool>;

    /// Makes the account a system administrator, or no longer one. At least one live one must stay; the use case asks for the
    /// count under the same transaction.
    async fn set_user_sysadmin(&mut self, id: UserId, sysadmin: bool, at: Timestamp) -> Result<bool>;

    /// How many live system administrators there are, locked until the transaction ends.
    async fn lock_sysadmins(&mut self) -> Result<u64>;

    /// Marks the account deleted: its name and address are free, its memberships, group memberships, sessions and refresh tokens
    /// are gone, its number stays taken.
    async fn delete_user(&mut self, id: UserId, at: Timestamp) -> Result<bool>;
}
