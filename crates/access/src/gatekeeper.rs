//! All of access in one hand, for whoever starts a server. Doors get a [`Gate`].

use std::sync::Arc;

use berth_cache::{Attempts, Cache};
use berth_domain::{Clock, Entropy};
use berth_metadata::Metadata;

use crate::authenticator::{Authenticator, AuthenticatorParts, AuthenticatorSettings};
use crate::authority::{Authority, AuthoritySettings};
use crate::brute_force::{BruteForce, BruteForceSettings};
use crate::keyring::{Keyring, KeyringError, KeyringParts};
use crate::password::{PasswordError, PasswordSettings, Passwords};
use crate::robot_secret::SecretKey;
use crate::seal::Seals;
use crate::token::{Rotation, TokenSettings};
use crate::token_service::TokenService;
use crate::{Access, Gate, first_start};

/// Knows who is asking, gives out tokens, and decides. Cheap to clone; made once, by whoever starts a server.
#[derive(Clone, Debug)]
pub struct Gatekeeper {
    /// Finds out who it is.
    pub authenticator: Arc<Authenticator>,
    /// Gives out tokens.
    pub tokens: TokenService,
    /// Knows what everyone may do; told what changes.
    pub authority: Arc<Authority>,
    /// Makes and checks passwords' hashes.
    pub passwords: Passwords,
    /// What generated secrets are kept under.
    pub secret_key: SecretKey,
    /// Slows down guessing, wherever a password is shown.
    pub brute_force: BruteForce,
}

/// What it works with.
#[derive(Clone, Debug)]
pub struct GatekeeperParts {
    /// The accounts.
    pub metadata: Arc<dyn Metadata>,
    /// Hears of changes on all replicas, if it can.
    pub cache: Arc<dyn Cache>,
    /// Counts failed log-ins, for all replicas if it can.
    pub attempts: Arc<dyn Attempts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What secrets are made of.
    pub entropy: Arc<dyn Entropy>,
    /// What the secrets in the database are sealed with.
    pub seals: Arc<Seals>,
}

/// What it is to know from the configuration.
#[derive(Clone, Debug)]
pub struct GatekeeperSettings {
    /// Tokens and how long they last.
    pub tokens: TokenSettings,
    /// When their keys are replaced.
    pub rotation: Rotation,
    /// What is permitted to whom beside roles and grants.
    pub authority: AuthoritySettings,
    /// How passwords are hashed.
    pub passwords: PasswordSettings,
    /// How guessing is slowed down.
    pub brute_force: BruteForceSettings,
    /// Robots' names and sessions.
    pub authenticator: AuthenticatorSettings,
}

/// Why there can be no gatekeeper.
#[derive(Debug, thiserror::Error)]
pub enum GatekeeperError {
    /// The keys in the database cannot be read.
    #[error("the keys of this installation cannot be read")]
    Keyring(#[from] KeyringError),
    /// The settings make no password hash.
    #[error("passwords cannot be hashed with these settings")]
    Passwords(#[from] PasswordError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] berth_metadata::Error),
}

impl Gatekeeper {
    /// Makes the roles and keys that are not there yet, and everything that works with them.
    pub async fn open(parts: GatekeeperParts, settings: GatekeeperSettings) -> Result<Self, GatekeeperError> {
        let GatekeeperParts { metadata, cache, attempts, clock, entropy, seals } = parts;
        first_start::ensure_roles(metadata.as_ref()).await?;
        let ring = KeyringParts {
            metadata: Arc::clone(&metadata),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            seals,
        };
        let keyring = Arc::new(Keyring::open(ring, settings.tokens, settings.rotation).await?);
        let secret_key = keyring.secret_key().await?;
        let passwords = Passwords::new(settings.passwords, Arc::clone(&entropy))?;
        let authority = Authority::new(Arc::clone(&metadata), cache, Arc::clone(&clock), settings.authority);
        let authority = Arc::new(authority);
        let brute_force = BruteForce::new(attempts, settings.brute_force);
        let authenticator = AuthenticatorParts {
            metadata: Arc::clone(&metadata),
            authority: Arc::clone(&authority),
            passwords: passwords.clone(),
            secret_key: secret_key.clone(),
            keyring: Arc::clone(&keyring),
            brute_force: brute_force.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
        };
        let authenticator = Arc::new(Authenticator::new(authenticator, settings.authenticator));
        let tokens = TokenService { metadata, authority: Arc::clone(&authority), keyring, clock, entropy };
        Ok(Self { authenticator, tokens, authority, passwords, secret_key, brute_force })
    }

    /// As much of it as a door gets.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate::of(self.clone())
    }

    /// The decision that use cases ask for.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::closed(Arc::clone(&self.authority))
    }

    /// The keys that tokens are signed with.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.tokens.keyring
    }

    /// What clients call this registry: one constant, whatever the host.
    #[must_use]
    pub fn service(&self) -> &str {
        self.keyring().tokens().service()
    }
}
