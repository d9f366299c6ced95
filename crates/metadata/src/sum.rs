//! Sums that are kept although they follow from rows: counts of links, bytes of projects, contents of repositories. Every write keeps
//! them in step; here they are compared with what they follow from, and derived again where they differ.
//!
//! What one answer says is kept and what it says is actually so were read at one moment: a write under way is no difference.

use async_trait::async_trait;
use berth_domain::{ProjectId, Repository, RepositoryId};
use berth_oci::{Digest, ProjectName};

use crate::Result;

/// What is kept, and what it should be. Numbers may have any sign: what is damaged may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived<T> {
    /// What is kept.
    pub kept: T,
    /// What follows from the rows.
    pub actual: T,
}

impl<T: PartialEq> Derived<T> {
    /// Whether both are the same.
    pub fn agrees(&self) -> bool {
        self.kept == self.actual
    }
}

/// What is kept of a live repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySums {
    /// The repository.
    pub repository: Repository,
    /// Live manifests.
    pub manifests: Derived<i64>,
    /// Live tags.
    pub tags: Derived<i64>,
    /// Pulls, of manifests that are gone too.
    pub pulls: Derived<i64>,
    /// Whether it is among the repositories that have a live manifest.
    pub filled: Derived<bool>,
}

/// What is kept of a blob that a project has or once had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectBlob {
    /// The blob.
    pub digest: Digest,
    /// The project.
    pub project: ProjectId,
    /// How many live links are counted.
    pub links: i64,
    /// The size that the project counts it with.
    pub size: Derived<i64>,
}

/// The same with what it follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectBlobSums {
    /// The project.
    pub project: ProjectName,
    /// Live links in its live repositories.
    pub links: Derived<i64>,
    /// The blob's size. What is kept is the actual size where nothing better is known: if the blob has no row, or a damaged one.
    pub size: Derived<i64>,
}

/// Bytes of all blobs that live links bring into a project, each digest counted once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectBytes {
    /// The project.
    pub project: ProjectName,
    /// The bytes.
    pub bytes: Derived<i64>,
}

/// Where a list of all blobs of projects goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectBlobPosition {
    /// The blob of the last one that was seen.
    pub digest: Digest,
    /// Its project.
    pub project: ProjectId,
}

/// Comparing sums with rows.
#[async_trait]
pub trait SumReads {
    /// The sums of all live repositories by number, after `after`. Reads an index entry for everything that is counted.
    async fn repository_sums(&self, after: Option<RepositoryId>, limit: u32) -> Result<Vec<RepositorySums>>;

    /// What is kept of all blobs of projects, by the bytes of the digest and the project's number, after `after`; those without a live
    /// link too. The links are not counted: [`crate::BlobReads::link_targets`] lists them in the same order of digests.
    async fn project_blobs(
        &self,
        after: Option<&ProjectBlobPosition>,
        limit: u32,
    ) -> Result<Vec<ProjectBlob>>;

    /// The sums of one blob of one project; `None` if there is no such project.
    async fn project_blob(&self, project: ProjectId, digest: &Digest) -> Result<Option<ProjectBlobSums>>;

    /// The bytes that are kept of all projects by number, after `after`; of those that are gone too.
    async fn kept_bytes(&self, after: Option<ProjectId>, limit: u32) -> Result<Vec<(ProjectId, i64)>>;

    /// The bytes of one project, which takes as long as it has links; `None` if there is no such project.
    async fn project_bytes(&self, project: ProjectId) -> Result<Option<ProjectBytes>>;
}

/// Deriving sums again. One transaction at a time does so; others that write go on meanwhile. Each tells what it found, which is right
/// as soon as the transaction is committed; `None` if it is gone.
#[async_trait]
pub trait SumWrites {
    /// All sums of a live repository.
    async fn derive_repository(&mut self, repository: RepositoryId) -> Result<Option<RepositorySums>>;

    /// The links and the size of a blob of a project; not the project's bytes.
    async fn derive_project_blob(
        &mut self,
        project: ProjectId,
        digest: &Digest,
    ) -> Result<Option<ProjectBlobSums>>;

    /// The bytes of a project, from its blobs as they are kept: those are derived before.
    async fn derive_project_bytes(&mut self, project: ProjectId) -> Result<Option<ProjectBytes>>;
}
