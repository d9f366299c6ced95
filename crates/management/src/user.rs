//! Users: people's accounts, as they and system administrators see and change them.

use berth_access::brute_force::Held;
use berth_access::{Denied, LoginError, Reason, Secret};
use berth_domain::user::{check_password, check_profile, check_username};
use berth_domain::{Action, ActorKind, Resource, User, UserId};
use berth_metadata::user::Added;

use crate::guarded::Guarded;
use crate::{Error, Listed, Result, UserFilter, UserOrder, Window};
use berth_metadata::retry;

/// A new account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The name to log in with.
    pub username: String,
    /// The address.
    pub email: String,
    /// The person's name.
    pub realname: String,
    /// A remark.
    pub comment: String,
    /// The password.
    pub password: Secret,
}

/// What an account says of its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The address.
    pub email: String,
    /// The person's name.
    pub realname: String,
    /// A remark.
    pub comment: String,
}

/// As much of a user as everybody with an account may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundUser {
    /// The number.
    pub id: UserId,
    /// The name.
    pub username: String,
}

/// What no two live accounts have in common, nor one's name and another's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserField {
    /// The name.
    Username,
    /// The address.
    Email,
}

impl Guarded<'_> {
    /// Makes an account. Who has none can make their own where that is switched on, a few from one address.
    pub async fn create_user(&self, wanted: NewUser) -> Result<UserId> {
        let allowed = self.check(Resource::User, Action::Create).await;
        let own = self.allows_strangers(allowed)?;
        check_username(&wanted.username)?;
        check_profile(&wanted.email, &wanted.realname, &wanted.comment)?;
        check_password(wanted.password.reveal())?;
        if own {
            self.brake("make an account").await?;
        }
        let NewUser { username, email, realname, comment, password } = wanted;
        let password = self.management.parts().passwords.hash(password).await?;
        let user = berth_metadata::user::NewUser {
            username,
            email,
            realname,
            comment,
            sysadmin: false,
            password: Some(password.as_str().to_owned()),
        };
        retry!(self.add_user(&user).await)
    }

    async fn add_user(&self, user: &berth_metadata::user::NewUser) -> Result<UserId> {
        let mut tx = self.begin().await?;
        let Added::Added(id) = tx.add_user(user, self.management.now()).await? else {
            let names = format!("{} or {}", user.username, user.email);
            return Err(Error::exists("a user that logs in with", &names));
        };
        tx.commit().await?;
        Ok(id)
    }

    /// A page of the accounts, without the first administrator's, as Harbor has it: what is done to all of a list is not done to it.
    pub async fn users(&self, filter: &UserFilter, window: Window<UserOrder>) -> Result<Listed<User>> {
        self.check(Resource::User, Action::List).await?;
        let filter = &UserFilter { after: Some(UserId::ADMIN), ..filter.clone() };
        let items = self.metadata().users(filter, window).await?;
        Ok(Listed { items, total: self.metadata().count_users(filter).await? })
    }

    /// Accounts with this in their name, the closest first, for everybody who has one: so many after the first `offset`.
    pub async fn search_users(&self, name: &str, offset: u64, limit: u32) -> Result<Listed<FoundUser>> {
        self.check_account(Resource::User, Action::List).await?;
        let window = Window { order: UserOrder::Closest, descending: false, offset, limit };
        let filter = UserFilter { username_like: Some(name.to_owned()), ..UserFilter::default() };
        let items = self.metadata().users(&filter, window).await?;
        let items = items.into_iter().map(|User { id, username, .. }| FoundUser { id, username }).collect();
        Ok(Listed { items, total: self.metadata().count_users(&filter).await? })
    }

    /// Whether a live account has this already; for forms, so only where people make their own accounts, and for administrators.
    pub async fn user_exists(&self, field: UserField, value: &str) -> Result<bool> {
        let passed = self.check_sysadmin(Resource::User, Action::Read).await;
        let stranger = self.allows_strangers(passed).map_err(|error| match error {
            Error::Denied(denied) if matches!(denied.reason, Reason::Anonymous | Reason::Missing) => {
                Error::Precondition(
                    "only a system administrator may ask this; where people make their own accounts, also who has none",
                )
            }
            other => other,
        })?;
        if stranger {
            self.brake("ask who is there").await?;
        }
        let value = vec![value.to_owned()];
        let filter = match field {
            UserField::Username => UserFilter { username: value, ..UserFilter::default() },
            UserField::Email => UserFilter { email: value, ..UserFilter::default() },
        };
        Ok(self.metadata().count_users(&filter).await? > 0)
    }

    /// One account: one's own, or anybody's for who may read them.
    pub async fn user(&self, id: UserId) -> Result<User> {
        self.check_self_or(id, Action::Read).await?;
        self.live_user(id).await
    }

    /// The account of whoever asks. Robots have none of this kind.
    pub async fn current_user(&self) -> Result<User> {
        self.check_known(Resource::User, Action::Read).await?;
        if self.caller.actor.kind != ActorKind::User {
            return Err(Error::Precondition("a robot has no user's account: log in as a user"));
        }
        self.live_user(UserId(self.caller.actor.id)).await
    }

    /// Changes what an account says of its person.
    pub async fn update_user(&self, id: UserId, profile: Profile) -> Result<()> {
        self.check_self_or(id, Action::Update).await?;
        self.live_user(id).await?;
        check_profile(&profile.email, &profile.realname, &profile.comment)?;
        retry!(self.set_profile(id, &profile).await)
    }

    async fn set_profile(&self, id: UserId, profile: &Profile) -> Result<()> {
        let Profile { email, realname, comment } = profile;
        let mut tx = self.begin().await?;
        match tx.set_user_profile(id, email, realname, comment, self.management.now()).await? {
            None => return Err(Error::not_found("user", &id.0)),
            Some(Added::Exists) => return Err(Error::exists("a user that logs in with", &email)),
            Some(Added::Added(_)) => tx.commit().await?,
        }
        Ok(())
    }

    /// Takes an account away; what was issued to it ends. Not one's own, and not the first administrator's.
    pub async fn delete_user(&self, id: UserId) -> Result<()> {
        self.check(Resource::User, Action::Delete).await?;
        if id == UserId::ADMIN || self.is(id) {
            return Err(Error::Forbidden(
                "neither one's own account nor the first administrator's can be deleted",
            ));
        }
        retry!(self.remove_user(id).await)?;
        self.forget_user(id).await;
        Ok(())
    }

    async fn remove_user(&self, id: UserId) -> Result<()> {
        let mut tx = self.begin().await?;
        let sysadmins = tx.lock_sysadmins().await?;
        if self.live_user(id).await?.sysadmin && sysadmins <= 1 {
            return Err(LAST);
        }
        if !tx.delete_user(id, self.management.now()).await? {
            return Err(Error::not_found("user", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Makes somebody a system administrator, or no longer one. Only system administrators can do that, also to themselves as in
    /// Harbor, and one stays.
    pub async fn set_sysadmin(&self, id: UserId, sysadmin: bool) -> Result<()> {
        self.check_sysadmin(Resource::User, Action::Update).await?;
        retry!(self.mark_sysadmin(id, sysadmin).await)?;
        self.forget_user(id).await;
        Ok(())
    }

    async fn mark_sysadmin(&self, id: UserId, sysadmin: bool) -> Result<()> {
        let mut tx = self.begin().await?;
        let sysadmins = tx.lock_sysadmins().await?;
        let user = self.live_user(id).await?;
        if user.sysadmin == sysadmin {
            return Ok(());
        }
        if user.sysadmin && sysadmins <= 1 {
            return Err(LAST);
        }
        if !tx.set_user_sysadmin(id, sysadmin, self.management.now()).await? {
            return Err(Error::not_found("user", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether somebody was not let in who may come in as a stranger, because people make their own accounts here.
    fn allows_strangers(&self, passed: Result<()>) -> Result<bool> {
        match passed {
            Ok(()) => Ok(false),
            Err(Error::Denied(Denied { reason: Reason::Anonymous, .. }))
                if self.management.settings().self_registration =>
            {
                Ok(true)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Lets strangers do this a few times from one address, then ever more slowly.
    async fn brake(&self, act: &str) -> Result<()> {
        let admitted = self.management.parts().brute_force.admit_act(act, self.caller.address).await;
        admitted.map_err(|held| match held {
            Held::Slow { retry_after } => Error::Often { retry_after },
            Held::Busy => LoginError::Busy.into(),
        })
    }

    /// Lets the user themselves pass, and whoever may do this to all users.
    async fn check_self_or(&self, id: UserId, action: Action) -> Result<()> {
        if self.is(id) { self.check_self(action).await } else { self.check(Resource::User, action).await }
    }

    pub(crate) async fn forget_user(&self, id: UserId) {
        self.management.parts().authority.forget(ActorKind::User, id.0).await;
    }
}

const LAST: Error = Error::Precondition("the last system administrator stays one: make another one first");
