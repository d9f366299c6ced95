//! A name and a secret against what the database keeps.

use std::sync::Arc;

use berth_domain::{Actor, ActorKind, RobotId, RobotLogin, UserId};
use berth_metadata::robot::RobotCredentials;
use berth_metadata::user::UserCredentials;

use super::{Authenticator, Credentials, Purpose};
use crate::caller::Identity;
use crate::password::{StoredPassword, Verdict};
use crate::robot_secret::SecretKey;
use crate::{LoginError, Secret};

/// Whose password is hashed again.
#[derive(Clone, Copy)]
enum Owner {
    User(UserId),
    Robot(RobotId),
}

impl Authenticator {
    pub(super) async fn look_up(&self, shown: &Credentials<'_>) -> Result<Identity, LoginError> {
        let metadata = &self.parts.metadata;
        if let Some(login) = RobotLogin::parse(&self.settings.robot_prefix, shown.login)
            && let Some(robot) = metadata.robot_by_login(login.project.as_ref(), &login.name).await?
        {
            let name = login.render(&self.settings.robot_prefix);
            return self.robot(robot, name, shown).await;
        }
        let user = metadata.user_credentials(shown.login).await?;
        self.user(user, shown).await
    }

    async fn robot(
        &self,
        kept: RobotCredentials,
        name: String,
        shown: &Credentials<'_>,
    ) -> Result<Identity, LoginError> {
        let generated = SecretKey::is_kept(&kept.secret);
        let right = if generated && self.parts.secret_key.verify(&kept.secret, shown.secret) {
            true
        } else {
            // A wrong secret costs a hash also where the right one would not have.
            let stored = if generated { None } else { StoredPassword::parse(&kept.secret) };
            self.password(Owner::Robot(kept.robot.id), stored, shown.secret).await?
        };
        if !right && shown.purpose == Purpose::Registry {
            // An unknown name costs a second one there: see `is_users`.
            self.parts.passwords.verify(None, shown.secret.clone()).await?;
        }
        if !right || !kept.robot.is_active(self.parts.clock.now()) {
            return Err(LoginError::Wrong);
        }
        Ok(Identity {
            actor: Actor { kind: ActorKind::Robot, id: kept.robot.id.0, name },
            issued_at: kept.robot.valid_after,
            ends_at: kept.robot.expires_at(),
        })
    }

    async fn user(
        &self,
        kept: Option<UserCredentials>,
        shown: &Credentials<'_>,
    ) -> Result<Identity, LoginError> {
        let right = self.is_users(kept.as_ref(), shown).await?;
        let Some(UserCredentials { user, .. }) = kept.filter(|_| right) else {
            return Err(LoginError::Wrong);
        };
        Ok(Identity {
            actor: Actor { kind: ActorKind::User, id: user.id.0, name: user.username },
            issued_at: user.valid_after,
            ends_at: None,
        })
    }

    /// Whether it is the user's password, or CLI secret where that does. Every hash of it is computed also where there is nothing
    /// to compare with, so that nobody learns who exists and who has which.
    async fn is_users(
        &self,
        kept: Option<&UserCredentials>,
        shown: &Credentials<'_>,
    ) -> Result<bool, LoginError> {
        let cli = kept.and_then(|kept| kept.cli_secret.as_deref());
        let cli = cli.filter(|_| shown.purpose == Purpose::Registry);
        if cli.is_some_and(|cli| self.parts.secret_key.verify(cli, shown.secret)) {
            return Ok(true);
        }
        let stored = kept.and_then(|kept| kept.password.as_deref()).and_then(StoredPassword::parse);
        let owner = Owner::User(kept.map_or(UserId(0), |kept| kept.user.id));
        if self.password(owner, stored, shown.secret).await? {
            return Ok(true);
        }
        if shown.purpose == Purpose::Api {
            return Ok(false);
        }
        self.password(owner, cli.and_then(StoredPassword::parse), shown.secret).await
    }

    /// Checks a password; what is kept in an older form is replaced in the background now that it is known.
    async fn password(
        &self,
        owner: Owner,
        stored: Option<StoredPassword>,
        secret: &Secret,
    ) -> Result<bool, LoginError> {
        match self.parts.passwords.verify(stored.clone(), secret.clone()).await? {
            Verdict::Wrong => Ok(false),
            Verdict::Right { rehash } => {
                if let Some(from) = stored.filter(|_| rehash) {
                    self.rehash(owner, from, secret.clone());
                }
                Ok(true)
            }
        }
    }

    fn rehash(&self, owner: Owner, from: StoredPassword, secret: Secret) {
        let (passwords, metadata) = (self.parts.passwords.clone(), Arc::clone(&self.parts.metadata));
        tokio::spawn(async move {
            let done = async {
                let to = passwords.hash(secret).await?;
                let mut tx = metadata.begin().await?;
                match owner {
                    Owner::User(id) => tx.rehash_user_password(id, from.as_str(), to.as_str()).await?,
                    Owner::Robot(id) => tx.rehash_robot_secret(id, from.as_str(), to.as_str()).await?,
                };
                tx.commit().await?;
                Ok::<_, LoginError>(())
            };
            if let Err(error) = done.await {
                tracing::warn!(%error, "a password stays in its older form until the next log-in");
            }
        });
    }
}
