//! Users.

use async_trait::async_trait;
use berth_domain::{Timestamp, User, UserId};
use berth_metadata::user::{NewUser, UserCredentials, UserFilter, UserOrder, UserReads, UserWrites};
use berth_metadata::{Added, Result, Window};

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;
use crate::value::{time, unsigned};
use crate::window::{BY_CLOSENESS, BY_CREATION, BY_ID, BY_NAME, Cut, among, exactly, within};

/// What is read of a user, with the secrets last.
macro_rules! columns {
    () => {
        "id, username, email, realname, comment, sysadmin, valid_after, created_at, updated_at, password, cli_secret"
    };
}

/// The live users that a filter lets through; each parameter restricts unless it is null.
macro_rules! filtered {
    () => {
        concat!(
            " FROM users WHERE deleted_at IS NULL",
            one_of!("$1", "username"),
            " AND (CAST($2 AS TEXT) IS NULL OR lower(username) LIKE $2 ESCAPE '!')",
            one_of!("$3", "email"),
            " AND (CAST($4 AS TEXT) IS NULL OR lower(email) LIKE $4 ESCAPE '!') AND id > $5"
        )
    };
}

/// Sets one of an account's secrets; what was issued before ends, whatever the clock says.
macro_rules! set_secret {
    ($column:expr) => {
        concat!(
            "UPDATE users SET ",
            $column,
            " = $2, valid_after = ",
            next_valid_after!("$3"),
            ", updated_at = $3 WHERE id = $1 AND deleted_at IS NULL"
        )
    };
}

statements! {
    USER = sql!(concat!("SELECT ", columns!(), " FROM users WHERE id = $1 AND deleted_at IS NULL"));
    USER_BY_NAME =
        sql!(concat!("SELECT ", columns!(), " FROM users WHERE username = $1 AND deleted_at IS NULL"));
    /// The address is looked for only where no name fits.
    USER_BY_LOGIN = sql!(concat!(
        "SELECT ",
        columns!(),
        " FROM users WHERE id = COALESCE(
             (SELECT id FROM users WHERE username = $1 AND deleted_at IS NULL),
             (SELECT id FROM users WHERE email = $1 AND email <> '' AND deleted_at IS NULL))"
    ));
    USERS = sql!(concat!(
        "SELECT ",
        columns!(),
        filtered!(),
        " ORDER BY CASE CAST($6 AS BIGINT) WHEN 4 THEN length(username) END, CASE $6 WHEN 4 THEN username END,",
        window!("$6", "$7", "$8", "id", "username", "created_at")
    ));
    COUNT_USERS = sql!(concat!("SELECT COUNT(*)", filtered!()));
    FIRST_SYSADMIN = sql!(
        pg: "SELECT id FROM users WHERE sysadmin AND deleted_at IS NULL ORDER BY id LIMIT 1",
        lite: "SELECT id FROM users WHERE sysadmin = 1 AND deleted_at IS NULL ORDER BY id LIMIT 1",
    );
    /// Until the transaction ends; the number is this lock's own. What somebody logs in with stands in two columns, so that no index
    /// keeps a name from being another's address.
    LOCK_LOGINS = sql!(pg: "SELECT pg_advisory_xact_lock(4150972238461077315)", lite: "SELECT 1");
    /// Live accounts but $3 with the address $1 as their name, or with the name $2 as their address.
    LOGINS_OF_OTHERS = sql!(
        "SELECT id FROM users WHERE username = $1 AND deleted_at IS NULL AND id <> $3
         UNION ALL
         SELECT id FROM users WHERE email = $2 AND email <> '' AND deleted_at IS NULL AND id <> $3"
    );
    /// Gives no row if a live account has the name or the address.
    ADD_USER = sql!(
        "INSERT INTO users (username, email, realname, comment, sysadmin, password, valid_after, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)
         ON CONFLICT DO NOTHING RETURNING id"
    );
    ADD_ADMIN = sql!(
        "INSERT INTO users
             (id, username, email, realname, comment, sysadmin, password, valid_after, created_at, updated_at)
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $7, $7)
         ON CONFLICT DO NOTHING"
    );
    SET_PROFILE = sql!(
        "UPDATE users SET email = $2, realname = $3, comment = $4, updated_at = $5
         WHERE id = $1 AND deleted_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM users o
                         WHERE o.email = $2 AND o.email <> '' AND o.deleted_at IS NULL AND o.id <> $1)"
    );
    SET_PASSWORD = sql!(set_secret!("password"));
    REHASH_PASSWORD =
        sql!("UPDATE users SET password = $3 WHERE id = $1 AND password = $2 AND deleted_at IS NULL");
    SET_CLI_SECRET = sql!(set_secret!("cli_secret"));
    SET_SYSADMIN =
        sql!("UPDATE users SET sysadmin = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL");
    /// In one order for all, so that none waits for another in a circle.
    LOCK_SYSADMINS = sql!(
        pg: "SELECT id FROM users WHERE sysadmin AND deleted_at IS NULL ORDER BY id FOR UPDATE",
        lite: "SELECT id FROM users WHERE sysadmin = 1 AND deleted_at IS NULL ORDER BY id",
    );
    /// First of all that goes with an account: it waits for those that are giving the account something.
    DELETE_USER =
        sql!("UPDATE users SET deleted_at = $2, updated_at = $2 WHERE id = $1 AND deleted_at IS NULL");
    REMOVE_MEMBERSHIPS = sql!("DELETE FROM project_members WHERE entity_type = 'u' AND entity_id = $1");
    LEAVE_GROUPS = sql!("DELETE FROM user_group_members WHERE user_id = $1");
    END_SESSIONS = sql!("DELETE FROM sessions WHERE user_id = $1");
    REVOKE_REFRESH_TOKENS = sql!("DELETE FROM refresh_tokens WHERE user_id = $1");
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    username: String,
    email: String,
    realname: String,
    comment: String,
    sysadmin: bool,
    valid_after: i64,
    created_at: i64,
    updated_at: i64,
    password: Option<String>,
    cli_secret: Option<String>,
}

impl From<Row> for UserCredentials {
    fn from(row: Row) -> Self {
        let user = User {
            id: UserId(row.id),
            username: row.username,
            email: row.email,
            realname: row.realname,
            comment: row.comment,
            sysadmin: row.sysadmin,
            valid_after: time(row.valid_after),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        };
        Self { user, password: row.password, cli_secret: row.cli_secret }
    }
}

/// A filter's parameters.
struct Filter {
    name: Option<String>,
    name_like: Option<String>,
    email: Option<String>,
    email_like: Option<String>,
    after: i64,
}

impl From<&UserFilter> for Filter {
    fn from(filter: &UserFilter) -> Self {
        Self {
            name: among(&filter.username),
            name_like: filter.username_like.as_deref().map(within),
            email: among(&filter.email),
            email_like: filter.email_like.as_deref().map(within),
            after: filter.after.map_or(i64::MIN, |id| id.0),
        }
    }
}

#[async_trait]
impl UserReads for SqlMetadata {
    async fn user(&self, id: UserId) -> Result<Option<User>> {
        let row: Option<Row> = optional!(self, USER, id.0);
        Ok(row.map(|row| UserCredentials::from(row).user))
    }

    async fn user_credentials(&self, username: &str) -> Result<Option<UserCredentials>> {
        let row: Option<Row> = optional!(self, USER_BY_NAME, exactly(username));
        Ok(row.map(Into::into))
    }

    async fn user_by_login(&self, login: &str) -> Result<Option<UserCredentials>> {
        let row: Option<Row> = optional!(self, USER_BY_LOGIN, exactly(login));
        Ok(row.map(Into::into))
    }

    async fn users(&self, filter: &UserFilter, window: Window<UserOrder>) -> Result<Vec<User>> {
        let f = Filter::from(filter);
        let column = match window.order {
            UserOrder::Id => BY_ID,
            UserOrder::Username => BY_NAME,
            UserOrder::CreatedAt => BY_CREATION,
            UserOrder::Closest => BY_CLOSENESS,
        };
        let Cut { sort, limit, offset } = Cut::of(&window, column);
        let rows: Vec<Row> =
            all!(self, USERS, &f.name, &f.name_like, &f.email, &f.email_like, f.after, sort, limit, offset);
        Ok(rows.into_iter().map(|row| UserCredentials::from(row).user).collect())
    }

    async fn count_users(&self, filter: &UserFilter) -> Result<u64> {
        let f = Filter::from(filter);
        let (count,): (i64,) =
            one!(self, COUNT_USERS, &f.name, &f.name_like, &f.email, &f.email_like, f.after);
        unsigned(count)
    }

    async fn first_sysadmin(&self) -> Result<Option<UserId>> {
        let row: Option<(i64,)> = optional!(self, FIRST_SYSADMIN);
        Ok(row.map(|(id,)| UserId(id)))
    }
}

impl SqlTransaction {
    /// Whether the address is the name of a live account other than this one, or the name its address. Nobody can make it so until the
    /// transaction ends.
    async fn is_anothers_login(&mut self, email: &str, username: &str, id: UserId) -> Result<bool> {
        execute!(self, LOCK_LOGINS);
        let others: Vec<(i64,)> = all!(self, LOGINS_OF_OTHERS, email, username, id.0);
        Ok(!others.is_empty())
    }
}

/// No account has this number.
const NOBODY: UserId = UserId(0);

/// Runs one of the two statements that add a user; both take what it is made of in one order.
macro_rules! new_user {
    ($run:ident, $on:expr, $statement:expr, $user:expr, $at:expr) => {{
        let (on, user) = ($on, $user);
        $run!(
            on,
            $statement,
            &user.username,
            &user.email,
            &user.realname,
            &user.comment,
            user.sysadmin,
            &user.password,
            $at.as_micros()
        )
    }};
}

#[async_trait]
impl UserWrites for SqlTransaction {
    async fn add_user(&mut self, user: &NewUser, at: Timestamp) -> Result<Added<UserId>> {
        if self.is_anothers_login(&user.email, &user.username, NOBODY).await? {
            return Ok(Added::Exists);
        }
        let row: Option<(i64,)> = new_user!(optional, self, ADD_USER, user, at);
        Ok(row.map_or(Added::Exists, |(id,)| Added::Added(UserId(id))))
    }

    async fn ensure_admin(&mut self, admin: &NewUser, at: Timestamp) -> Result<bool> {
        Ok(new_user!(execute, self, ADD_ADMIN, admin, at) > 0)
    }

    async fn set_user_profile(
        &mut self,
        id: UserId,
        email: &str,
        realname: &str,
        comment: &str,
        at: Timestamp,
    ) -> Result<Option<Added<UserId>>> {
        let taken = self.is_anothers_login(email, "", id).await?;
        if !taken && execute!(self, SET_PROFILE, id.0, email, realname, comment, at.as_micros()) > 0 {
            return Ok(Some(Added::Added(id)));
        }
        let live: Option<Row> = optional!(self, USER, id.0);
        Ok(live.map(|_| Added::Exists))
    }

    async fn set_user_password(&mut self, id: UserId, password: &str, at: Timestamp) -> Result<bool> {
        Ok(execute!(self, SET_PASSWORD, id.0, password, at.as_micros()) > 0)
    }

    async fn rehash_user_password(&mut self, id: UserId, from: &str, to: &str) -> Result<bool> {
        Ok(execute!(self, REHASH_PASSWORD, id.0, from, to) > 0)
    }

    async fn set_user_cli_secret(&mut self, id: UserId, secret: &str, at: Timestamp) -> Result<bool> {
        Ok(execute!(self, SET_CLI_SECRET, id.0, secret, at.as_micros()) > 0)
    }

    async fn set_user_sysadmin(&mut self, id: UserId, sysadmin: bool, at: Timestamp) -> Result<bool> {
        Ok(execute!(self, SET_SYSADMIN, id.0, sysadmin, at.as_micros()) > 0)
    }

    async fn lock_sysadmins(&mut self) -> Result<u64> {
        let rows: Vec<(i64,)> = all!(self, LOCK_SYSADMINS);
        Ok(rows.len() as u64)
    }

    async fn delete_user(&mut self, id: UserId, at: Timestamp) -> Result<bool> {
        if execute!(self, DELETE_USER, id.0, at.as_micros()) == 0 {
            return Ok(false);
        }
        execute!(self, REMOVE_MEMBERSHIPS, id.0);
        execute!(self, LEAVE_GROUPS, id.0);
        execute!(self, END_SESSIONS, id.0);
        execute!(self, REVOKE_REFRESH_TOKENS, id.0);
        Ok(true)
    }
}
