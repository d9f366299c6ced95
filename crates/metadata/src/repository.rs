//! Repositories: made by their first push, gone by one mark.

use async_trait::async_trait;
use berth_domain::{Actor, Project, ProjectId, Repository, Timestamp};
use berth_oci::RepositoryName;

use crate::{Deletion, Result};

/// Which repositories a list may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogScope {
    /// All of them.
    All,
    /// Those of these projects, in any order.
    Projects(Vec<ProjectId>),
    /// Those of public projects and of these, in any order.
    PublicAnd(Vec<ProjectId>),
}

/// A repository that was searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRepository {
    /// Its full name.
    pub name: RepositoryName,
    /// The project it belongs to.
    pub project: ProjectId,
    /// Whether everyone may pull from that.
    pub public: bool,
    /// How many live manifests it has.
    pub manifests: u64,
    /// How often they were pulled, as far as was written down.
    pub pulls: u64,
}

/// Looking at repositories.
#[async_trait]
pub trait RepositoryReads {
    /// The live repository of that name.
    async fn repository(&self, name: &RepositoryName) -> Result<Option<Repository>>;

    /// Names of live repositories with at least one live manifest, in byte order, after `after` (which need not exist).
    async fn repositories(
        &self,
        scope: &CatalogScope,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RepositoryName>>;

    /// Repositories with at least one live manifest whose full name has `within` in it, in any case of ASCII letters; in byte
    /// order, after `after` (which need not exist).
    async fn find_repositories(
        &self,
        scope: &CatalogScope,
        within: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<FoundRepository>>;
}

/// Changing repositories.
#[async_trait]
pub trait RepositoryWrites {
    /// The live repository of that name, which nobody can delete before the transaction ends.
    async fn hold_repository(&mut self, name: &RepositoryName) -> Result<Option<Repository>>;

    /// The live repository of that name; made now in `project` if there is none.
    async fn ensure_repository(
        &mut self,
        project: &Project,
        name: &RepositoryName,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Repository>;

    /// Marks the repository deleted: everything in it is gone at once. Whether it was there.
    async fn delete_repository(&mut self, repository: &Repository, deletion: &Deletion) -> Result<bool>;
}
