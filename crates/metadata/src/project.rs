//! Projects. The first migration brings `library`: number 1, public. All others are made by [`ProjectWrites::add_project`].

use async_trait::async_trait;
use berth_domain::{Actor, Project, ProjectId, ProjectMetadataKey, Timestamp, UserId};
use berth_oci::{ProjectName, RepositoryName};

use crate::Result;
use crate::user::Added;

/// Looking at projects.
#[async_trait]
pub trait ProjectReads {
    /// The live project of that name.
    async fn project(&self, name: &ProjectName) -> Result<Option<Project>>;

    /// The live project of that number.
    async fn project_by_id(&self, id: ProjectId) -> Result<Option<Project>>;

    /// Those of these names that are live, in no order.
    async fn projects_named(&self, names: &[ProjectName]) -> Result<Vec<Project>>;

    /// The names of those of these projects that are live, in no order.
    async fn project_names(&self, ids: &[ProjectId]) -> Result<Vec<(ProjectId, ProjectName)>>;

    /// Bytes of all blobs that live links bring into the project, each digest counted once.
    async fn project_usage(&self, project: ProjectId) -> Result<u64>;
}

/// Changing projects.
#[async_trait]
pub trait ProjectWrites {
    /// The live project of that name, read on the transaction's own connection: whoever holds a transaction must not wait for
    /// another one.
    async fn find_project(&mut self, name: &ProjectName) -> Result<Option<Project>>;

    /// Makes a project, with its owner, who must be live, as its first administrator.
    async fn add_project(
        &mut self,
        name: &ProjectName,
        public: bool,
        owner: UserId,
        storage_limit: Option<u64>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Added<ProjectId>>;

    /// The project, locked until the transaction ends.
    async fn lock_project(&mut self, id: ProjectId) -> Result<Option<Project>>;

    /// Opens it to everyone, or closes it.
    async fn set_project_public(&mut self, id: ProjectId, public: bool, at: Timestamp) -> Result<()>;

    /// Sets one setting; `None` takes it away. Whether it was there before. `public` is the project's own and always there.
    async fn set_project_metadata(
        &mut self,
        id: ProjectId,
        key: ProjectMetadataKey,
        value: Option<&str>,
        at: Timestamp,
    ) -> Result<bool>;

    /// Sets how much it may hold.
    async fn set_project_storage_limit(
        &mut self,
        id: ProjectId,
        limit: Option<u64>,
        at: Timestamp,
    ) -> Result<()>;

    /// Marks a project deleted in which no live repository has a live manifest: its name is free, its members and robots are gone,
    /// its number stays taken. Repositories without one, and the blobs that they may hold, go by the same act; their names are given,
    /// to be forgotten. `None` if it is not empty, or not there, and then nothing happened. A push at the same time that brings a
    /// manifest makes it `None`, or is refused itself.
    async fn delete_empty_project(
        &mut self,
        id: ProjectId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Option<Vec<RepositoryName>>>;
}
