//! Deletions: marks that hide, and how they are taken back.

use async_trait::async_trait;
use berth_domain::{Actor, DeletionId, Timestamp};

use crate::Result;

/// One act of deletion. Everything that it marks comes back together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Names the act.
    pub id: DeletionId,
    /// Who does it.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// What came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Repositories.
    pub repositories: u64,
    /// Manifests.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Links of blobs to repositories.
    pub links: u64,
}

/// Taking deletions back.
#[async_trait]
pub trait DeletionWrites {
    /// Takes one deletion back: everything it marked is live again, but what has a live successor of the same name by now (a tag
    /// pointed anew, a manifest or link pushed again, a repository made again). Every tag that returns is a line of history.
    async fn restore(&mut self, deletion: DeletionId, by: &Actor, at: Timestamp) -> Result<Restored>;
}
