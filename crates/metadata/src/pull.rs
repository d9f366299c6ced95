//! Pull counts and times, gathered in memory and written in batches.

use async_trait::async_trait;
use berth_domain::{RepositoryId, Timestamp};
use berth_oci::Digest;

use crate::Result;

/// Pulls of one manifest since the last batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The repository.
    pub repository: RepositoryId,
    /// The manifest.
    pub digest: Digest,
    /// How often.
    pub count: u64,
    /// The latest.
    pub last_at: Timestamp,
}

/// Writing them down.
#[async_trait]
pub trait PullWrites {
    /// Adds a batch to the counts of manifests and repositories; manifests that are gone are passed over.
    async fn record_pulls(&mut self, pulls: &[Pull]) -> Result<()>;
}
