//! Keys that sign tokens.

use async_trait::async_trait;
use berth_metadata::Result;
use berth_metadata::signing_key::{SigningKeyReads, SigningKeyWrites, StoredSigningKey};

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;
use crate::value::time;

statements! {
    SIGNING_KEYS =
        sql!("SELECT kid, sealed_seed, signs_from, created_at FROM signing_keys ORDER BY signs_from, kid");
    /// The whole table, because also two that find no key at all must take turns. SQLite has one writer anyhow.
    LOCK_SIGNING_KEYS = sql!(pg: "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE", lite: "SELECT 1");
    ADD_SIGNING_KEY =
        sql!("INSERT INTO signing_keys (kid, sealed_seed, signs_from, created_at) VALUES ($1, $2, $3, $4)");
    RESEAL_SIGNING_KEY = sql!("UPDATE signing_keys SET sealed_seed = $2 WHERE kid = $1");
    REMOVE_SIGNING_KEY = sql!("DELETE FROM signing_keys WHERE kid = $1");
}

type Row = (String, Vec<u8>, i64, i64);

fn key((kid, sealed_seed, signs_from, created_at): Row) -> StoredSigningKey {
    StoredSigningKey { kid, sealed_seed, signs_from: time(signs_from), created_at: time(created_at) }
}

#[async_trait]
impl SigningKeyReads for SqlMetadata {
    async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>> {
        let rows: Vec<Row> = all!(self, SIGNING_KEYS);
        Ok(rows.into_iter().map(key).collect())
    }
}

#[async_trait]
impl SigningKeyWrites for SqlTransaction {
    async fn lock_signing_keys(&mut self) -> Result<Vec<StoredSigningKey>> {
        execute!(self, LOCK_SIGNING_KEYS);
        let rows: Vec<Row> = all!(self, SIGNING_KEYS);
        Ok(rows.into_iter().map(key).collect())
    }

    async fn add_signing_key(&mut self, key: &StoredSigningKey) -> Result<()> {
        let (from, created) = (key.signs_from, key.created_at);
        execute!(
            self,
            ADD_SIGNING_KEY,
            &key.kid,
            key.sealed_seed.as_slice(),
            from.as_micros(),
            created.as_micros()
        );
        Ok(())
    }

    async fn reseal_signing_key(&mut self, kid: &str, sealed_seed: &[u8]) -> Result<()> {
        execute!(self, RESEAL_SIGNING_KEY, kid, sealed_seed);
        Ok(())
    }

    async fn remove_signing_key(&mut self, kid: &str) -> Result<()> {
        execute!(self, REMOVE_SIGNING_KEY, kid);
        Ok(())
    }
}
