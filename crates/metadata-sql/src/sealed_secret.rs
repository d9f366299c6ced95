//! Sealed secrets of the installation.

use async_trait::async_trait;
use berth_metadata::sealed_secret::SealedSecretWrites;
use berth_metadata::{Error, Result};

use crate::transaction::SqlTransaction;

statements! {
    SEALED_SECRET = sql!("SELECT sealed FROM sealed_secrets WHERE name = $1");
    ADD_SEALED_SECRET =
        sql!("INSERT INTO sealed_secrets (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
    SEALED_SECRETS = sql!("SELECT name, sealed FROM sealed_secrets ORDER BY name");
    /// The whole table, so that none is added meanwhile. SQLite has one writer anyhow.
    LOCK_SEALED_SECRETS = sql!(pg: "LOCK TABLE sealed_secrets IN SHARE ROW EXCLUSIVE MODE", lite: "SELECT 1");
    RESEAL_SECRET = sql!("UPDATE sealed_secrets SET sealed = $2 WHERE name = $1");
}

#[async_trait]
impl SealedSecretWrites for SqlTransaction {
    async fn ensure_sealed_secret(&mut self, name: &str, fresh: &[u8]) -> Result<Vec<u8>> {
        let mut row: Option<(Vec<u8>,)> = optional!(self, SEALED_SECRET, name);
        if row.is_none() {
            execute!(self, ADD_SEALED_SECRET, name, fresh);
            // Another transaction may have been faster; its secret holds.
            row = optional!(self, SEALED_SECRET, name);
        }
        row.map(|(sealed,)| sealed).ok_or(Error::Conflict)
    }

    async fn lock_sealed_secrets(&mut self) -> Result<Vec<(String, Vec<u8>)>> {
        execute!(self, LOCK_SEALED_SECRETS);
        Ok(all!(self, SEALED_SECRETS))
    }

    async fn reseal_secret(&mut self, name: &str, sealed: &[u8]) -> Result<()> {
        execute!(self, RESEAL_SECRET, name, sealed);
        Ok(())
    }
}
