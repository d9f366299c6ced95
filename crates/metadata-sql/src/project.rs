//! Projects.

use async_trait::async_trait;
use berth_domain::{Actor, Project, ProjectId, Timestamp};
use berth_metadata::{Error, ProjectReads, ProjectWrites, Result};
use berth_oci::ProjectName;

use crate::SqlMetadata;
use crate::pending::Sum;
use crate::transaction::SqlTransaction;
use crate::value::{parse, time, unsigned};

statements! {
    PROJECT = sql!("SELECT id, name, public, created_at FROM projects WHERE name = $1 AND deleted_at IS NULL");
    /// Gives no row if there is a live project of that name.
    ADD_PROJECT = sql!(
        "INSERT INTO projects (name, public, created_at, updated_at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $3, $4, $5, $6)
         ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING
         RETURNING id, name, public, created_at"
    );
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

    async fn ensure_project(
        &mut self,
        name: &ProjectName,
        public: bool,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Project> {
        let mut row: Option<Row> = optional!(self, PROJECT, name.as_str());
        if row.is_none() {
            row = optional!(
                self,
                ADD_PROJECT,
                name.as_str(),
                public,
                at.as_micros(),
                by.kind.as_str(),
                by.id,
                &by.name
            );
        }
        if row.is_none() {
            // Another transaction made it between the two statements.
            row = optional!(self, PROJECT, name.as_str());
        }
        project(row.ok_or(Error::Conflict)?)
    }
}
