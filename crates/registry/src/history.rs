//! Tag history is kept for a while; the database itself keeps it short.

use crate::{Registry, Result};
use berth_metadata::retry;

/// How many lines go in one transaction.
const BATCH: u32 = 1000;

impl Registry {
    /// Forgets history that is older than the settings keep. How many lines went.
    pub async fn prune_tag_history(&self) -> Result<u64> {
        let mut gone = 0;
        loop {
            let batch = retry!(self.prune_batch().await)?;
            gone += batch;
            if batch < u64::from(BATCH) {
                return Ok(gone);
            }
        }
    }

    async fn prune_batch(&self) -> Result<u64> {
        let before = self.now().minus(self.settings().history_age);
        let mut tx = self.ports().metadata.begin().await?;
        let gone = tx.prune_tag_history(before, BATCH).await?;
        tx.commit().await?;
        Ok(gone)
    }
}
