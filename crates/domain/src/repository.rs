//! Repositories: where manifests, tags and blobs live.

use berth_oci::RepositoryName;

use crate::{ProjectId, Timestamp};

/// A repository's number: never used again, so whatever is keyed by it dies with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryId(pub i64);

/// A place for manifests, tags and blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its number.
    pub id: RepositoryId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its full name.
    pub name: RepositoryName,
    /// When it was made.
    pub created_at: Timestamp,
}
