//! Who is it? Credentials of every kind are turned into a [`Caller`] here, and nowhere else.
//!
//! **Invariants.** Whatever is wrong with a name and a secret, the answer is the same and costs the same. Secrets that nobody can
//! guess are let in whatever else goes on; everything else is held back by [`crate::brute_force`]. What was right is
//! remembered for a minute by a keyed hash, and still asked every few seconds whether it was revoked. Every caller carries the
//! moment of the credentials, which is the account's `valid_after` as it was when they were checked: any later change refuses them.

mod check;
mod checks;
mod session;
mod uses;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use berth_domain::{Clock, Entropy, RobotLogin};
use berth_metadata::Metadata;

use crate::authority::{Authority, AuthorityError};
use crate::believed::Believed;
use crate::brute_force::{BruteForce, Guess};
use crate::caller::Identity;
use crate::keyring::Keyring;
use crate::password::Passwords;
use crate::recent::Recent;
use crate::robot_secret::{self, SecretKey};
use crate::tally::LogIns;
use crate::token::TokenError;
use crate::{Caller, LoginError, Means, Secret};

use check::Found;
use checks::Checks;
pub use session::LoggedIn;
use session::Remembered;
use uses::Uses;

/// How long credentials that were right are remembered.
const REMEMBERED: Duration = Duration::from_mins(1);

/// What the authenticator is to know from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorSettings {
    /// What robots' log-in names begin with.
    pub robot_prefix: String,
    /// How long a session lasts without being used.
    pub session_lifetime: Duration,
    /// How many credentials, and how many sessions, are remembered.
    pub remembered: usize,
}

impl Default for AuthenticatorSettings {
    fn default() -> Self {
        Self {
            robot_prefix: "robot$".to_owned(),
            session_lifetime: Duration::from_hours(1),
            remembered: 16 * 1024,
        }
    }
}

/// Who it works with.
#[derive(Clone, Debug)]
pub struct AuthenticatorParts {
    /// The accounts.
    pub metadata: Arc<dyn Metadata>,
    /// Knows what was revoked.
    pub authority: Arc<Authority>,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Checks generated secrets.
    pub secret_key: SecretKey,
    /// Checks tokens.
    pub keyring: Arc<Keyring>,
    /// Slows down guessing.
    pub brute_force: BruteForce,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For sessions' names.
    pub entropy: Arc<dyn Entropy>,
}

/// What a name and a secret are shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The registry and its tokens, where a CLI secret does as well as the password.
    Registry,
    /// The API, for people and robots.
    Api,
}

/// A name and a secret, and where they come from.
#[derive(Clone, Debug)]
pub struct Credentials<'a> {
    /// The name as it was given.
    pub login: &'a str,
    /// The password, the CLI secret or the robot's secret.
    pub secret: &'a Secret,
    /// What for.
    pub purpose: Purpose,
    /// From where.
    pub address: Option<IpAddr>,
    /// In which request.
    pub request_id: &'a str,
}

/// Finds out who it is.
pub struct Authenticator {
    settings: AuthenticatorSettings,
    parts: AuthenticatorParts,
    right: Recent<[u8; 32], Identity>,
    sessions: Believed<[u8; 32], Option<Arc<Remembered>>>,
    uses: Uses,
    checks: Checks,
    log_ins: LogIns,
}

impl Authenticator {
    /// Works with `parts`.
    #[must_use]
    pub fn new(parts: AuthenticatorParts, settings: AuthenticatorSettings) -> Self {
        let sessions = session::remembered(&parts, settings.remembered);
        let right = Recent::new(settings.remembered);
        let (uses, checks, log_ins) = (Uses::default(), Checks::default(), LogIns::default());
        Self { settings, parts, right, sessions, uses, checks, log_ins }
    }

    /// Whoever shows a name and a secret: a robot, or a user with a password or a CLI secret.
    pub async fn basic(&self, shown: &Credentials<'_>) -> Result<Caller, LoginError> {
        let now = self.parts.clock.now();
        let fingerprint = self.fingerprint(shown);
        if let Some(known) = self.right.get(&fingerprint, now) {
            match self.parts.authority.honours_for_pull(&known.actor, known.issued_at).await {
                Ok(()) => {
                    self.log_ins.ok.one_more();
                    self.uses.record(&known.actor, now);
                    return Ok(known.calls(Means::Basic, shown.address, shown.request_id.to_owned()));
                }
                Err(AuthorityError::Revoked) => self.right.remove(&fingerprint),
                Err(AuthorityError::Database(error)) => return Err(error.into()),
            }
        }
        let identity = self.checked(shown).await?;
        self.uses.record(&identity.actor, now);
        let until = now.plus(REMEMBERED);
        self.right.put(fingerprint, identity.clone(), identity.ends_at.map_or(until, |end| end.min(until)));
        Ok(identity.calls(Means::Basic, shown.address, shown.request_id.to_owned()))
    }

    /// Whoever shows a token. Whether it was revoked is asked with each question about rights.
    pub async fn bearer(
        &self,
        token: &str,
        address: Option<IpAddr>,
        request_id: String,
    ) -> Result<Caller, LoginError> {
        let tokens = self.parts.keyring.tokens();
        let verified = match tokens.verify(token) {
            Err(TokenError::UnknownKey) => {
                self.parts.keyring.reload_for_unknown().await?;
                tokens.verify(token)?
            }
            other => other?,
        };
        let identity =
            Identity { actor: verified.actor.clone(), issued_at: verified.issued_at, ends_at: None };
        Ok(identity.calls(Means::Bearer(verified), address, request_id))
    }

    /// How many log-ins there were.
    #[must_use]
    pub fn log_ins(&self) -> &LogIns {
        &self.log_ins
    }

    /// Checks them, together with everybody who shows the same now.
    async fn checked(&self, shown: &Credentials<'_>) -> Result<Identity, LoginError> {
        // Seldom, and much larger than what is remembered takes.
        let check = Box::pin(self.check(shown));
        let outcome = self.checks.join(self.fingerprint(shown), check).await;
        if matches!(outcome, Err(LoginError::Wrong)) {
            tracing::info!(address = ?shown.address, request_id = shown.request_id, "failed log-in");
        }
        self.log_ins.count(&outcome);
        outcome
    }

    /// Checks at once what nobody can guess; everything else when it is admitted. What is done before depends on what is shown
    /// alone, so that the time tells nothing of which names there are.
    async fn check(&self, shown: &Credentials<'_>) -> Result<Identity, LoginError> {
        let looks_generated = robot_secret::looks_generated(shown.secret);
        let found = if looks_generated { Some(self.find(shown).await?) } else { None };
        if let Some(Found::Proven(identity)) = found {
            return Ok(identity);
        }
        let is_robots = RobotLogin::parse(&self.settings.robot_prefix, shown.login).is_some();
        let guess = if looks_generated && is_robots { Guess::Generated } else { Guess::Password };
        let attempt = self.parts.brute_force.admit(shown.login, shown.address, guess).await?;
        let outcome = self.check_slowly(found, shown).await;
        match &outcome {
            Ok(_) => attempt.succeeded().await,
            Err(LoginError::Wrong) => drop(attempt),
            Err(_) => attempt.came_to_nothing().await,
        }
        outcome
    }

    fn fingerprint(&self, shown: &Credentials<'_>) -> [u8; 32] {
        let kind = match shown.purpose {
            Purpose::Registry => 'r',
            Purpose::Api => 'a',
        };
        self.parts.secret_key.fingerprint(&format!("{kind}{}", shown.login), shown.secret)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("settings", &self.settings).finish_non_exhaustive()
    }
}
