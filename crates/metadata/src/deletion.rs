//! Deletions: marks that hide, and how they are taken back.

use async_trait::async_trait;
use berth_domain::{Actor, DeletionId, Timestamp};
use berth_oci::{Digest, RepositoryName};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Repositories.
    pub repositories: u64,
    /// Manifests.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Links of blobs to repositories.
    pub links: u64,
    /// Blobs that returning manifests need and whose bytes are gone meanwhile. If there are any, the transaction should be dropped.
    pub gone: Vec<Digest>,
}

/// Taking deletions back.
#[async_trait]
pub trait DeletionWrites {
    /// Takes one deletion back in the repository of that name, or of that repository: everything it marked is live again, but what
    /// has a live successor of the same name by now (a tag pointed anew, a manifest or link pushed again, a repository made again).
    /// Nothing comes back into a repository that is deleted itself. A manifest brings the links to its blobs with it that were
    /// taken away in between. Every tag that returns is a line of history.
    async fn restore(
        &mut self,
        repository: &RepositoryName,
        deletion: DeletionId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Restored>;
}
