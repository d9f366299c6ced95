//! Secrets that the installation keeps for itself, sealed: the key of generated secrets, later passwords of other registries.

use async_trait::async_trait;

use crate::Result;

/// Reading and making sealed secrets.
#[async_trait]
pub trait SealedSecretWrites {
    /// The sealed secret of that name; `fresh` becomes it if there is none. Every process gets the same answer.
    async fn ensure_sealed_secret(&mut self, name: &str, fresh: &[u8]) -> Result<Vec<u8>>;

    /// All of them by name, locked until the transaction ends.
    async fn lock_sealed_secrets(&mut self) -> Result<Vec<(String, Vec<u8>)>>;

    /// Keeps the same secret under another seal.
    async fn reseal_secret(&mut self, name: &str, sealed: &[u8]) -> Result<()>;
}
