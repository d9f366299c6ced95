//! Projects.

use async_trait::async_trait;
use berth_domain::{Project, ProjectId};
use berth_metadata::{ProjectReads, ProjectWrites, Result};
use berth_oci::ProjectName;

use crate::SqlMetadata;
use crate::pending::Sum;
use crate::transaction::SqlTransaction;
use crate::value::{parse, time, unsigned};

statements! {
    PROJECT = sql!("SELECT id, name, public, created_at FROM projects WHERE name = $1 AND deleted_at IS NULL");
    SUM = sql!("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM counters WHERE kind = $1 AND owner_id = $2");
}

/// A project's columns.
pub(crate) type Row = (i64, String, bool, i64);

/// Reads a project.
pub(crate) fn project((id, name, public, created_at): Row) -> Result<Project> {
    Ok(Project {
        id: ProjectId(id),
        name: parse("the project's name", &name)?,
        public,
        created_at: time(created_at),
    })
}

#[async_trait]
impl ProjectReads for SqlMetadata {
    async fn project(&self, name: &ProjectName) -> Result<Option<Project>> {
        let row: Option<Row> = optional!(self, PROJECT, name.as_str());
        row.map(project).transpose()
    }

    async fn project_usage(&self, id: ProjectId) -> Result<u64> {
        let (bytes,): (i64,) = one!(self, SUM, Sum::ProjectBytes as i16, id.0);
        unsigned(bytes)
    }
}

#[async_trait]
impl ProjectWrites for SqlTransaction {
    async fn find_project(&mut self, name: &ProjectName) -> Result<Option<Project>> {
        let row: Option<Row> = optional!(self, PROJECT, name.as_str());
        row.map(project).transpose()
    }
}
