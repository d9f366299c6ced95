//! A name and a secret against what the database keeps.

use std::sync::Arc;

use berth_domain::{Actor, ActorKind, RobotId, RobotLogin, UserId};
use berth_metadata::robot::RobotCredentials;
use berth_metadata::user::UserCredentials;

use super::{Authenticator, Credentials, Purpose};
use crate::caller::Identity;
use crate::password::{StoredPassword, Verdict};
use crate::{LoginError, Secret};

/// Whose password is hashed again.
#[derive(Clone, Copy)]
enum Owner {
    User(UserId),
    Robot(RobotId),
}

/// The account that is meant.
pub(super) enum Found {
    /// It is theirs: they showed a secret that was drawn at random.
    Proven(Identity),
    /// A robot, as the database knows it, and its whole name.
    Robot(RobotCredentials, String),
    /// A user, or nobody.
    User(Option<UserCredentials>),
}

impl Authenticator {
    /// Looks the name up, and checks what costs nothing to check.
    pub(super) async fn find(&self, shown: &Credentials<'_>) -> Result<Found, LoginError> {
        if let Some(login) = RobotLogin::parse(&self.settings.robot_prefix, shown.login)
            && let Some(kept) = self.robot_row(&login).await?
        {
            let name = login.render(&self.settings.robot_prefix);
            if self.is_active(&kept) && self.parts.secret_key.verify(&kept.secret, shown.secret) {
                return Ok(Found::Proven(of_robot(&kept, name)));
            }
            // A name that no robot has costs a second look-up: see below.
            self.user_row(shown.login).await?;
            return Ok(Found::Robot(kept, name));
        }
        Ok(match self.user_row(shown.login).await? {
            Some(kept) if self.is_cli_secret(&kept, shown) => Found::Proven(of_user(kept)),
            kept => Found::User(kept),
        })
    }

    /// Checks the rest; `found` is looked up if it was not yet.
    pub(super) async fn check_slowly(
        &self,
        found: Option<Found>,
        shown: &Credentials<'_>,
    ) -> Result<Identity, LoginError> {
        let found = match found {
            Some(found) => found,
            None => self.find(shown).await?,
        };
        match found {
            Found::Proven(identity) => Ok(identity),
            Found::Robot(kept, name) => {
                let stored = StoredPassword::parse(&kept.secret);
                let right = self.password(Owner::Robot(kept.robot.id), stored, shown.secret).await?;
                if right && self.is_active(&kept) {
                    return Ok(of_robot(&kept, name));
                }
                self.by_cli_secret(None, shown).await
            }
            Found::User(kept) => {
                let stored = kept.as_ref().and_then(|kept| kept.password.as_deref());
                let stored = stored.and_then(StoredPassword::parse);
                if self.password(owner(kept.as_ref()), stored, shown.secret).await? {
                    return kept.map(of_user).ok_or(LoginError::Wrong);
                }
                self.by_cli_secret(kept, shown).await
            }
        }
    }

    /// Whoever showed no password may have shown a CLI secret, where that does. Its hash is computed there also if there is nothing
    /// to compare with, so that nobody learns who exists and who has which.
    async fn by_cli_secret(
        &self,
        kept: Option<UserCredentials>,
        shown: &Credentials<'_>,
    ) -> Result<Identity, LoginError> {
        if shown.purpose == Purpose::Api {
            return Err(LoginError::Wrong);
        }
        let stored =
            kept.as_ref().and_then(|kept| kept.cli_secret.as_deref()).and_then(StoredPassword::parse);
        let right = self.password(owner(kept.as_ref()), stored, shown.secret).await?;
        kept.filter(|_| right).map(of_user).ok_or(LoginError::Wrong)
    }

    async fn robot_row(&self, login: &RobotLogin) -> Result<Option<RobotCredentials>, LoginError> {
        self.log_ins.looked_up.one_more();
        Ok(self.parts.metadata.robot_by_login(login.project.as_ref(), &login.name).await?)
    }

    async fn user_row(&self, login: &str) -> Result<Option<UserCredentials>, LoginError> {
        self.log_ins.looked_up.one_more();
        Ok(self.parts.metadata.user_by_login(login).await?)
    }

    fn is_active(&self, kept: &RobotCredentials) -> bool {
        kept.robot.is_active(self.parts.clock.now())
    }

    /// Whether it is the user's CLI secret, and that was generated.
    fn is_cli_secret(&self, kept: &UserCredentials, shown: &Credentials<'_>) -> bool {
        let cli = kept.cli_secret.as_deref().filter(|_| shown.purpose == Purpose::Registry);
        cli.is_some_and(|cli| self.parts.secret_key.verify(cli, shown.secret))
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

fn owner(kept: Option<&UserCredentials>) -> Owner {
    Owner::User(kept.map_or(UserId(0), |kept| kept.user.id))
}

fn of_robot(kept: &RobotCredentials, name: String) -> Identity {
    Identity {
        actor: Actor { kind: ActorKind::Robot, id: kept.robot.id.0, name },
        issued_at: kept.robot.valid_after,
        ends_at: kept.robot.expires_at(),
    }
}

fn of_user(kept: UserCredentials) -> Identity {
    let user = kept.user;
    Identity {
        actor: Actor { kind: ActorKind::User, id: user.id.0, name: user.username },
        issued_at: user.valid_after,
        ends_at: None,
    }
}
