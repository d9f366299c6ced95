//! The review queue: what may have lost its last reference. Fed by every change of a reference, in the same transaction, so that
//! garbage collection only has to read it. Adapters feed it inside the writes; there is no method for it.

use async_trait::async_trait;
use berth_domain::{RepositoryId, Timestamp};
use berth_oci::Digest;

use crate::Result;

/// Something that is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What.
    pub subject: ReviewSubject,
    /// Not before this moment: a day after the latest change.
    pub review_after: Timestamp,
}

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewSubject {
    /// A blob, wherever it may be linked.
    Blob(Digest),
    /// A manifest of a repository.
    Manifest(RepositoryId, Digest),
}

/// Looking at the queue.
#[async_trait]
pub trait ReviewReads {
    /// What is due before `before`, earliest first, at most `limit`.
    async fn reviews(&self, before: Timestamp, limit: u32) -> Result<Vec<Review>>;
}
