//! Pull counts and times.

use std::collections::BTreeMap;

use async_trait::async_trait;
use berth_domain::RepositoryId;
use berth_metadata::{Pull, PullWrites, Result};

use crate::batch::{Cell, rows};
use crate::pending::Sum;
use crate::transaction::SqlTransaction;
use crate::value::signed;

statements! {
    /// One look-up a pull, whatever PostgreSQL thinks of the number of manifests.
    PULLED_MANIFESTS = sql!(
        pg: "SELECT m.repository_id, m.id, m.digest FROM json_array_elements(CAST($1 AS json)) AS e
             CROSS JOIN LATERAL (
                 SELECT m.repository_id, m.id, m.digest FROM manifests m
                 WHERE m.repository_id = CAST(e->>0 AS BIGINT) AND m.digest = decode(e->>1, 'hex')
                 AND m.deleted_at IS NULL OFFSET 0
             ) AS m",
        lite: "SELECT m.repository_id, m.id, m.digest FROM json_each($1) AS e
               CROSS JOIN manifests m ON m.repository_id = e.value->>0 AND m.digest = unhex(e.value->>1)
               WHERE m.deleted_at IS NULL",
    );
    ADD_PULLS = sql!(
        pg: "INSERT INTO manifest_pulls (repository_id, manifest_id, pull_count, pulled_at)
             SELECT CAST(e->>0 AS BIGINT), CAST(e->>1 AS BIGINT), CAST(e->>2 AS BIGINT), CAST(e->>3 AS BIGINT)
             FROM json_array_elements(CAST($1 AS json)) AS e
             ON CONFLICT (repository_id, manifest_id) DO UPDATE
             SET pull_count = manifest_pulls.pull_count + excluded.pull_count,
                 pulled_at = GREATEST(manifest_pulls.pulled_at, excluded.pulled_at)",
        lite: "INSERT INTO manifest_pulls (repository_id, manifest_id, pull_count, pulled_at)
               SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each($1) WHERE true
               ON CONFLICT (repository_id, manifest_id) DO UPDATE
               SET pull_count = manifest_pulls.pull_count + excluded.pull_count,
                   pulled_at = MAX(manifest_pulls.pulled_at, excluded.pulled_at)",
    );
}

#[async_trait]
impl PullWrites for SqlTransaction {
    async fn record_pulls(&mut self, pulls: &[Pull]) -> Result<()> {
        // A batch may name a manifest twice; one statement must not.
        let mut sums: BTreeMap<(i64, Vec<u8>), (i64, i64)> = BTreeMap::new();
        for pull in pulls {
            let sum = sums.entry((pull.repository.0, pull.digest.to_bytes())).or_insert((0, i64::MIN));
            sum.0 = sum.0.saturating_add(signed(pull.count));
            sum.1 = sum.1.max(pull.last_at.as_micros());
        }
        let named =
            rows(sums.keys().map(|(repository, name)| vec![Cell::Number(*repository), Cell::Bytes(name)]));
        let mut found: Vec<(i64, i64, Vec<u8>)> = all!(self, PULLED_MANIFESTS, named);
        if found.is_empty() {
            return Ok(());
        }
        // One order for all writers, so that none waits for another in a circle.
        found.sort_unstable();
        let mut batch = Vec::with_capacity(found.len());
        for (repository, manifest, name) in found {
            let Some((count, at)) = sums.get(&(repository, name)) else { continue };
            batch.push([repository, manifest, *count, *at].map(Cell::Number).to_vec());
            self.pending.count(Sum::RepositoryPulls, RepositoryId(repository).0, *count);
        }
        execute!(self, ADD_PULLS, rows(batch));
        Ok(())
    }
}
