//! The keys that sign tokens, where every replica finds them: sealed in the database, read every minute, replaced on schedule.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use berth_domain::{Clock, Entropy, Timestamp};
use berth_metadata::signing_key::StoredSigningKey;
use berth_metadata::{Metadata, Transaction};

use crate::robot_secret::SecretKey;
use crate::seal::{SealError, Seals};
use crate::token::{KeyError, KeySet, Rotation, SigningKey, TokenSettings, Tokens};

/// Where the database keeps the key of generated secrets.
const SECRET_KEY: &str = "robot_secret_key";

/// How often unknown keys' names, which anybody can send, make the keys be read.
const UNKNOWN: Duration = Duration::from_secs(2);

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// They do not open.
    #[error("the secrets in the database cannot be opened")]
    Seal(#[from] SealError),
    /// What was sealed has not the length of a key.
    #[error("a key in the database is damaged")]
    Damaged,
    /// What was sealed is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] berth_metadata::Error),
}

/// What the keys are kept with.
#[derive(Clone, Debug)]
pub struct KeyringParts {
    /// Where they are.
    pub metadata: Arc<dyn Metadata>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What new ones are made of.
    pub entropy: Arc<dyn Entropy>,
    /// What they are sealed with.
    pub seals: Arc<Seals>,
}

/// The keys of the installation.
pub struct Keyring {
    parts: KeyringParts,
    rotation: Rotation,
    tokens: Tokens,
    /// When an unknown name last made the keys be read, in microseconds.
    read_at: AtomicI64,
}

impl Keyring {
    /// Reads the keys, and makes the first one if there is none. Several processes can do this at once.
    pub async fn open(
        parts: KeyringParts,
        settings: TokenSettings,
        rotation: Rotation,
    ) -> Result<Self, KeyringError> {
        let (clock, entropy) = (Arc::clone(&parts.clock), Arc::clone(&parts.entropy));
        let tokens = Tokens::new(settings, KeySet::default(), clock, entropy);
        let keyring = Self { parts, rotation, tokens, read_at: AtomicI64::new(i64::MIN) };
        keyring.tend().await?;
        Ok(keyring)
    }

    /// What issues and checks tokens with these keys.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Reads the keys, and replaces those whose time has come. Called every minute.
    pub async fn tend(&self) -> Result<(), KeyringError> {
        let stored = self.parts.metadata.signing_keys().await?;
        let plan = self.rotation.plan(&schedule(&stored), self.parts.clock.now(), false);
        if plan.create.is_none() && plan.remove.is_empty() {
            return self.take(&stored);
        }
        self.rotate(false).await.map(drop)
    }

    /// Replaces the key before its time. Whether that was done: not while two are valid.
    pub async fn rotate_now(&self) -> Result<bool, KeyringError> {
        self.rotate(true).await
    }

    /// Reads the keys for a token that names one which is not known here; seldom, because anybody can send such a token.
    pub(crate) async fn reload_for_unknown(&self) -> berth_metadata::Result<()> {
        let now = self.parts.clock.now();
        let before = self.read_at.load(Ordering::Relaxed);
        let due = now.since(Timestamp::from_micros(before)) >= UNKNOWN;
        let (all, same) = (now.as_micros(), Ordering::Relaxed);
        if !due || self.read_at.compare_exchange(before, all, same, same).is_err() {
            return Ok(());
        }
        let stored = self.parts.metadata.signing_keys().await?;
        if let Err(error) = self.take(&stored) {
            tracing::error!(%error, "the signing keys cannot be read");
        }
        Ok(())
    }

    /// The key under which generated secrets are kept; made now if there is none.
    pub async fn secret_key(&self) -> Result<SecretKey, KeyringError> {
        let KeyringParts { metadata, entropy, seals, .. } = &self.parts;
        let place = secret_place(SECRET_KEY);
        let fresh = SecretKey::generate(entropy.as_ref());
        let mut tx = metadata.begin().await?;
        let sealed = seals.seal(&place, fresh.bytes(), entropy.as_ref());
        let kept = tx.ensure_sealed_secret(SECRET_KEY, &sealed).await?;
        tx.commit().await?;
        let bytes = seals.open(&place, &kept)?.content;
        Ok(SecretKey::new(bytes.try_into().map_err(|_| KeyringError::Damaged)?))
    }

    /// Seals everything again that is sealed under an earlier key, in one transaction. How many secrets that were.
    pub async fn reseal(&self) -> Result<usize, KeyringError> {
        let KeyringParts { metadata, entropy, seals, .. } = &self.parts;
        let mut changed = 0;
        let mut tx = metadata.begin().await?;
        for key in tx.lock_signing_keys().await? {
            if let Some(sealed) = seals.reseal(&seed_place(&key.kid), &key.sealed_seed, entropy.as_ref())? {
                tx.reseal_signing_key(&key.kid, &sealed).await?;
                changed += 1;
            }
        }
        for (name, secret) in tx.lock_sealed_secrets().await? {
            if let Some(sealed) = seals.reseal(&secret_place(&name), &secret, entropy.as_ref())? {
                tx.reseal_secret(&name, &sealed).await?;
                changed += 1;
            }
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Does what is due, under the lock that lets only one replica do it. Whether a key was made.
    async fn rotate(&self, by_command: bool) -> Result<bool, KeyringError> {
        let mut tx = self.parts.metadata.begin().await?;
        let mut stored = tx.lock_signing_keys().await?;
        // Before anything is sealed: where another process sealed all of them under another key, that key is met here.
        self.open_all(&stored)?;
        let plan = self.rotation.plan(&schedule(&stored), self.parts.clock.now(), by_command);
        for kid in &plan.remove {
            tx.remove_signing_key(kid).await?;
        }
        stored.retain(|key| !plan.remove.contains(&key.kid));
        if let Some(signs_from) = plan.create {
            stored.push(self.create(tx.as_mut(), signs_from).await?);
        }
        tx.commit().await?;
        self.take(&stored)?;
        Ok(plan.create.is_some())
    }

    async fn create(
        &self,
        tx: &mut dyn Transaction,
        signs_from: Timestamp,
    ) -> Result<StoredSigningKey, KeyringError> {
        let KeyringParts { entropy, seals, clock, .. } = &self.parts;
        let seed = SigningKey::seed(entropy.as_ref());
        let kid = SigningKey::from_seed(&seed, signs_from)?.kid().to_owned();
        let sealed_seed = seals.seal(&seed_place(&kid), &seed, entropy.as_ref());
        let key = StoredSigningKey { kid, sealed_seed, signs_from, created_at: clock.now() };
        tx.add_signing_key(&key).await?;
        Ok(key)
    }

    /// Takes the keys into use.
    fn take(&self, stored: &[StoredSigningKey]) -> Result<(), KeyringError> {
        self.tokens.set_keys(KeySet::new(self.open_all(stored)?));
        Ok(())
    }

    fn open_all(&self, stored: &[StoredSigningKey]) -> Result<Vec<SigningKey>, KeyringError> {
        let opened = stored.iter().map(|key| {
            let seed = self.parts.seals.open(&seed_place(&key.kid), &key.sealed_seed)?.content;
            let seed: [u8; 32] = seed.try_into().map_err(|_| KeyringError::Damaged)?;
            Ok(SigningKey::from_seed(&seed, key.signs_from)?)
        });
        opened.collect()
    }
}

/// Whether everything that is sealed in a database is sealed under these keys.
pub async fn is_sealed_under(metadata: &dyn Metadata, seals: &Seals) -> berth_metadata::Result<bool> {
    let mut tx = metadata.begin().await?;
    let keys = tx.lock_signing_keys().await?;
    let secrets = tx.lock_sealed_secrets().await?;
    let keys = keys.iter().map(|key| seals.open(&seed_place(&key.kid), &key.sealed_seed));
    let secrets = secrets.iter().map(|(name, sealed)| seals.open(&secret_place(name), sealed));
    // What is damaged does not open under any key.
    Ok(!keys.chain(secrets).any(|opened| opened == Err(SealError::UnknownKey)))
}

fn schedule(keys: &[StoredSigningKey]) -> Vec<(String, Timestamp)> {
    keys.iter().map(|key| (key.kid.clone(), key.signs_from)).collect()
}

fn seed_place(kid: &str) -> String {
    format!("signing_key/{kid}/seed")
}

fn secret_place(name: &str) -> String {
    format!("sealed_secret/{name}")
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
