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

/// An act of deletion as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedDeletion {
    /// The act.
    pub deletion: Deletion,
    /// That it was taken back, or a part of it; the latest time.
    pub restoration: Option<Restoration>,
}

/// One act of taking a deletion back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoration {
    /// Who did it; unknown if it was done before that was written down.
    pub by: Option<Actor>,
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

/// Looking at acts of deletion.
#[async_trait]
pub trait DeletionReads {
    /// Who deleted and when, and who took that back. What was deleted is not told.
    async fn deletion(&self, id: DeletionId) -> Result<Option<RememberedDeletion>>;
}

/// Taking deletions back.
#[async_trait]
pub trait DeletionWrites {
    /// Takes one deletion back in the repository of that name, or of that repository: everything it marked is live again, but what
    /// has a live successor of the same name by now (a tag pointed anew, a manifest or link pushed again, a repository made again).
    /// Nothing comes back into a repository that is deleted itself. A manifest brings the links to its blobs with it that were
    /// taken away in between. Every tag that returns is a line of history. If anything came back, who did it is remembered with
    /// the deletion.
    async fn restore(
        &mut self,
        repository: &RepositoryName,
        deletion: DeletionId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Restored>;
}
