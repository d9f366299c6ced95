//! People's secrets: passwords, and the CLI secrets that do for the registry in their place.

use berth_access::brute_force::Guess;
use berth_access::password::{StoredPassword, Verdict};
use berth_access::{LoginError, Secret};
use berth_domain::user::check_password;
use berth_domain::{Action, Resource, User, UserId};

use crate::guarded::Guarded;
use crate::{Error, Result};
use berth_metadata::retry;

/// Which of an account's secrets.
#[derive(Clone, Copy)]
enum Kind {
    Password,
    CliSecret,
}

impl Guarded<'_> {
    /// Changes a password into another one; all that was issued to the account ends. One's own takes the old one, somebody else's
    /// takes a system administrator.
    pub async fn set_password(&self, id: UserId, old: Option<Secret>, new: Secret) -> Result<()> {
        self.check_secret_of(id).await?;
        check_password(new.reveal())?;
        let user = self.live_user(id).await?;
        if self.is(id) {
            self.prove(&user, old).await?;
        }
        if self.has_password(&user, new.clone()).await? {
            return Err(Error::invalid("the new password must not be the old one"));
        }
        self.set_secret(id, Kind::Password, new).await
    }

    /// Sets the secret that does for the registry in place of the password; all that was issued to the account ends.
    pub async fn set_cli_secret(&self, id: UserId, secret: Secret) -> Result<()> {
        self.check_secret_of(id).await?;
        check_password(secret.reveal())?;
        self.live_user(id).await?;
        self.set_secret(id, Kind::CliSecret, secret).await
    }

    /// A robot's right to change users ends here: with somebody's secret it would be them.
    async fn check_secret_of(&self, id: UserId) -> Result<()> {
        if self.is(id) {
            self.check_self(Action::Update).await
        } else {
            self.check_sysadmin(Resource::User, Action::Update).await
        }
    }

    /// Lets the user pass if they know their password, so that a session left open is not enough.
    async fn prove(&self, user: &User, old: Option<Secret>) -> Result<()> {
        let (brute_force, address) = (&self.management.parts().brute_force, self.caller.address);
        let attempt = brute_force.admit(&user.username, address, Guess::Password).await;
        let attempt = attempt.map_err(LoginError::from)?;
        match self.has_password(user, old.unwrap_or_else(|| Secret::new(""))).await {
            Ok(true) => attempt.succeeded().await,
            Ok(false) => return Err(Error::Forbidden("the old password is wrong")),
            Err(error) => {
                attempt.came_to_nothing().await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn has_password(&self, user: &User, password: Secret) -> Result<bool> {
        let kept = self.metadata().user_credentials(&user.username).await?;
        let kept = kept.and_then(|kept| kept.password).as_deref().and_then(StoredPassword::parse);
        Ok(self.management.parts().passwords.verify(kept, password).await? != Verdict::Wrong)
    }

    async fn set_secret(&self, id: UserId, kind: Kind, secret: Secret) -> Result<()> {
        let stored = self.management.parts().passwords.hash(secret).await?;
        retry!(self.keep_secret(id, kind, stored.as_str()).await)?;
        self.forget_user(id).await;
        Ok(())
    }

    async fn keep_secret(&self, id: UserId, kind: Kind, stored: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        let at = self.management.now();
        let there = match kind {
            Kind::Password => tx.set_user_password(id, stored, at).await?,
            Kind::CliSecret => tx.set_user_cli_secret(id, stored, at).await?,
        };
        if !there {
            return Err(Error::not_found("user", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }
}
