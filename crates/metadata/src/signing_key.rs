//! The keys that sign tokens, sealed, and other secrets of the installation that can be sealed again.

use async_trait::async_trait;
use berth_domain::Timestamp;

use crate::Result;

/// One key.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// Its public name.
    pub kid: String,
    /// The private half, sealed for `signing_key/<kid>/seed`.
    pub sealed_seed: Vec<u8>,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Looking at keys.
#[async_trait]
pub trait SigningKeyReads {
    /// All keys, by when they begin to sign.
    async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>>;
}

/// Changing keys.
#[async_trait]
pub trait SigningKeyWrites {
    /// All keys, locked until the transaction ends: two replicas do not rotate at once.
    async fn lock_signing_keys(&mut self) -> Result<Vec<StoredSigningKey>>;

    /// Adds a key.
    async fn add_signing_key(&mut self, key: &StoredSigningKey) -> Result<()>;

    /// Keeps the same private half under another seal.
    async fn reseal_signing_key(&mut self, kid: &str, sealed_seed: &[u8]) -> Result<()>;

    /// Removes a key; gone already is fine.
    async fn remove_signing_key(&mut self, kid: &str) -> Result<()>;
}

impl std::fmt::Debug for StoredSigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSigningKey")
            .field("kid", &self.kid)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}
