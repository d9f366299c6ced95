//! What a transaction counts, gathered until its commit: reviews, usage of projects, counters.
//!
//! These rows are shared by many writers. They are written in one order, sorted, as the last statements, so that they are locked for
//! the shortest time and never in a circle.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_domain::{ProjectId, RepositoryId, Timestamp};
use berth_metadata::Result;
use berth_oci::Digest;

use crate::batch::{Cell, rows};
use crate::transaction::SqlTransaction;

/// How long after the latest change of a reference something is looked at.
pub(crate) const REVIEW_DELAY: Duration = Duration::from_hours(24);

/// What a change of its links makes of the bytes of the project that holds the blob `b`.
macro_rules! bytes {
    ($change:literal) => {
        concat!(
            "CASE WHEN b.links > 0 AND b.links <= ",
            $change,
            " THEN b.size WHEN b.links <= 0 AND b.links > ",
            $change,
            " THEN -b.size ELSE 0 END"
        )
    };
}

statements! {
    /// Puts things into the review queue, or off if they are there.
    QUEUE_REVIEWS -> () = sql!(
        pg: "INSERT INTO review_queue (digest, repository_id, review_after)
             SELECT decode(e->>0, 'hex'), CAST(e->>1 AS BIGINT), CAST(e->>2 AS BIGINT)
             FROM json_array_elements(CAST($1 AS json)) AS e
             ON CONFLICT (digest, repository_id) DO UPDATE SET review_after = excluded.review_after",
        lite: "INSERT INTO review_queue (digest, repository_id, review_after)
               SELECT unhex(value->>0), value->>1, value->>2 FROM json_each($1) WHERE true
               ON CONFLICT (digest, repository_id) DO UPDATE SET review_after = excluded.review_after",
    );
    /// Adds links to the blobs of projects.
    COUNT_LINKS -> () = sql!(
        pg: "INSERT INTO project_blobs (digest, project_id, size, links)
             SELECT decode(e->>0, 'hex'), CAST(e->>1 AS BIGINT), CAST(e->>2 AS BIGINT), CAST(e->>3 AS BIGINT)
             FROM json_array_elements(CAST($1 AS json)) AS e
             ON CONFLICT (digest, project_id) DO UPDATE SET links = project_blobs.links + excluded.links",
        lite: "INSERT INTO project_blobs (digest, project_id, size, links)
               SELECT unhex(value->>0), value->>1, value->>2, value->>3 FROM json_each($1) WHERE true
               ON CONFLICT (digest, project_id) DO UPDATE SET links = project_blobs.links + excluded.links",
    );
    /// After that, with the same batch: adds the sizes of the blobs whose first link came to this transaction's slot of the
    /// projects' bytes, and takes those away whose last link went.
    COUNT_BYTES -> () = sql!(
        pg: concat!(
            "INSERT INTO counters (kind, owner_id, slot, amount)
             SELECT CAST(1 AS SMALLINT), changed.project, CAST($2 AS SMALLINT), CAST(SUM(changed.bytes) AS BIGINT)
             FROM (SELECT CAST(e->>1 AS BIGINT) AS project,
                          (SELECT ", bytes!("CAST(e->>3 AS BIGINT)"), " FROM project_blobs b
                           WHERE b.digest = decode(e->>0, 'hex') AND b.project_id = CAST(e->>1 AS BIGINT)) AS bytes
                   FROM json_array_elements(CAST($1 AS json)) AS e) AS changed
             GROUP BY changed.project HAVING SUM(changed.bytes) <> 0 ORDER BY changed.project
             ON CONFLICT (kind, owner_id, slot) DO UPDATE SET amount = counters.amount + excluded.amount"
        ),
        lite: concat!(
            "INSERT INTO counters (kind, owner_id, slot, amount)
             SELECT 1, e.value->>1, $2,
                    SUM((SELECT ", bytes!("e.value->>3"), " FROM project_blobs b
                         WHERE b.digest = unhex(e.value->>0) AND b.project_id = e.value->>1)) AS bytes
             FROM json_each($1) AS e GROUP BY e.value->>1 HAVING bytes <> 0
             ON CONFLICT (kind, owner_id, slot) DO UPDATE SET amount = counters.amount + excluded.amount"
        ),
    );
    /// Adds to this transaction's slot of each sum.
    COUNT -> () = sql!(
        pg: "INSERT INTO counters (kind, owner_id, slot, amount)
             SELECT CAST(e->>0 AS SMALLINT), CAST(e->>1 AS BIGINT), CAST($2 AS SMALLINT), CAST(e->>2 AS BIGINT)
             FROM json_array_elements(CAST($1 AS json)) AS e
             ON CONFLICT (kind, owner_id, slot) DO UPDATE SET amount = counters.amount + excluded.amount",
        lite: "INSERT INTO counters (kind, owner_id, slot, amount)
               SELECT value->>0, value->>1, $2, value->>2 FROM json_each($1) WHERE true
               ON CONFLICT (kind, owner_id, slot) DO UPDATE SET amount = counters.amount + excluded.amount",
    );
}

/// What is summed up; the numbers are the column `counters.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sum {
    /// Bytes of all blobs that live links bring into a project.
    ProjectBytes = 1,
    /// Live manifests of a repository.
    RepositoryManifests = 2,
    /// Live tags of a repository.
    RepositoryTags = 3,
    /// Pulls from a repository.
    RepositoryPulls = 4,
}

/// What waits for the commit.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// By digest and repository (0 for a blob): when.
    reviews: BTreeMap<(Vec<u8>, i64), i64>,
    /// By digest and project: size and change of the number of links.
    links: BTreeMap<(Vec<u8>, i64), (i64, i64)>,
    /// By sum and owner: change.
    counts: BTreeMap<(Sum, i64), i64>,
}

impl Pending {
    /// A reference to the blob changed.
    pub(crate) fn review_blob(&mut self, digest: &[u8], at: Timestamp) {
        self.reviews.insert((digest.to_vec(), 0), at.plus(REVIEW_DELAY).as_micros());
    }

    /// A reference to the manifest changed.
    pub(crate) fn review_manifest(&mut self, repository: RepositoryId, digest: &Digest, at: Timestamp) {
        self.reviews.insert((digest.to_bytes(), repository.0), at.plus(REVIEW_DELAY).as_micros());
    }

    /// A link of a blob into a project's repository came (1) or went (-1). The size matters only when it came.
    pub(crate) fn link(&mut self, project: ProjectId, digest: &[u8], size: i64, change: i64) {
        let waiting = self.links.entry((digest.to_vec(), project.0)).or_default();
        waiting.0 = waiting.0.max(size);
        waiting.1 += change;
    }

    /// A sum changes.
    pub(crate) fn count(&mut self, sum: Sum, owner: i64, change: i64) {
        *self.counts.entry((sum, owner)).or_default() += change;
    }
}

impl SqlTransaction {
    /// Writes what waits.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        // Asking for the connection refuses a transaction in which a statement failed, even if nothing waits.
        self.executor()?;
        let Pending { reviews, links, mut counts } = std::mem::take(&mut self.pending);
        let slot = self.slot;
        if !reviews.is_empty() {
            let batch = rows(reviews.iter().map(|((digest, repository), after)| {
                vec![Cell::Bytes(digest), Cell::Number(*repository), Cell::Number(*after)]
            }));
            later!(self, QUEUE_REVIEWS, batch);
        }
        if !links.is_empty() {
            let batch = rows(links.iter().map(|((digest, project), (size, change))| {
                vec![Cell::Bytes(digest), Cell::Number(*project), Cell::Number(*size), Cell::Number(*change)]
            }));
            later!(self, COUNT_LINKS, &batch);
            later!(self, COUNT_BYTES, batch, slot);
        }
        counts.retain(|_, change| *change != 0);
        if !counts.is_empty() {
            let batch = rows(counts.iter().map(|((sum, owner), change)| {
                vec![Cell::Number(*sum as i64), Cell::Number(*owner), Cell::Number(*change)]
            }));
            later!(self, COUNT, batch, slot);
        }
        Ok(())
    }
}
