//! Projects. The first migration brings `library`: number 1, public. All others are made by
//! [`ProjectPageWrites::add_project`](crate::ProjectPageWrites::add_project).

use async_trait::async_trait;
use berth_domain::{Project, ProjectId};
use berth_oci::ProjectName;

use crate::Result;

/// Looking at projects.
#[async_trait]
pub trait ProjectReads {
    /// The live project of that name.
    async fn project(&self, name: &ProjectName) -> Result<Option<Project>>;

    /// Bytes of all blobs that live links bring into the project, each digest counted once.
    async fn project_usage(&self, project: ProjectId) -> Result<u64>;
}

/// Looking at projects within a transaction.
#[async_trait]
pub trait ProjectWrites {
    /// The live project of that name, read on the transaction's own connection: whoever holds a transaction must not wait for
    /// another one.
    async fn find_project(&mut self, name: &ProjectName) -> Result<Option<Project>>;
}
