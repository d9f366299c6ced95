//! Projects.

use async_trait::async_trait;
use berth_domain::{
    Actor, DeletionId, MemberEntity, Project, ProjectId, ProjectMetadataKey, RoleId, Timestamp, UserId,
};
use berth_metadata::{
    Added, Deletion, MemberWrites as _, ProjectReads, ProjectWrites, RepositoryWrites as _, Result,
    RobotWrites as _,
};
use berth_oci::{ProjectName, RepositoryName};
use serde_json::json;
use uuid::Uuid;

use crate::pending::Sum;
use crate::repository::{Row as RepositoryRow, repository};
use crate::transaction::SqlTransaction;
use crate::value::{parse, signed, time, unsigned};
use crate::{SqlMetadata, batch};

statements! {
    PROJECT = sql!("SELECT id, name, public, created_at FROM projects WHERE name = $1 AND deleted_at IS NULL");
    PROJECT_BY_ID = sql!("SELECT id, name, public, created_at FROM projects WHERE id = $1 AND deleted_at IS NULL");
    /// As an array, because of a subquery PostgreSQL expects so many rows that it reads all projects.
    PROJECTS_NAMED = sql!(
        pg: "SELECT id, name, public, created_at FROM projects
             WHERE deleted_at IS NULL AND name = ANY (ARRAY(SELECT json_array_elements_text(CAST($1 AS json))))",
        lite: "SELECT id, name, public, created_at FROM projects
               WHERE deleted_at IS NULL AND name IN (SELECT value FROM json_each($1))",
    );
    PROJECT_NAMES = sql!(
        pg: "SELECT id, name FROM projects WHERE deleted_at IS NULL
             AND id = ANY (ARRAY(SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)) AS e))",
        lite: "SELECT id, name FROM projects
               WHERE deleted_at IS NULL AND id IN (SELECT value FROM json_each($1))",
    );
    SUM = sql!("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM counters WHERE kind = $1 AND owner_id = $2");
    /// Gives no row if there is a live project of that name.
    ADD_OWNED_PROJECT = sql!(
        "INSERT INTO projects (name, public, owner_id, storage_limit, created_at, updated_at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)
         ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING id"
    );
    /// Waits for those that add repositories or members.
    LOCK_PROJECT = sql!(
        pg: "SELECT id, name, public, created_at FROM projects WHERE id = $1 AND deleted_at IS NULL FOR UPDATE",
        lite: "SELECT id, name, public, created_at FROM projects WHERE id = $1 AND deleted_at IS NULL",
    );
    SET_PUBLIC =
        sql!("UPDATE projects SET public = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL");
    SET_STORAGE_LIMIT =
        sql!("UPDATE projects SET storage_limit = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL");
    TOUCH_PROJECT = sql!("UPDATE projects SET updated_at = $2 WHERE id = $1 AND deleted_at IS NULL");
    CHANGE_METADATA = sql!("UPDATE project_metadata SET value = $3 WHERE project_id = $1 AND name = $2");
    ADD_METADATA = sql!(
        "INSERT INTO project_metadata (project_id, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value"
    );
    REMOVE_METADATA = sql!("DELETE FROM project_metadata WHERE project_id = $1 AND name = $2");
    /// One that has a manifest. In the index's order, so that it is read where there are many too.
    ANY_FILLED_REPOSITORY = sql!(
        "SELECT id FROM repositories WHERE project_id = $1 AND filled AND deleted_at IS NULL ORDER BY name LIMIT 1"
    );
    /// Locked alone, each of them: waits for those that add to one.
    LOCK_REPOSITORIES = sql!(
        pg: "SELECT id, project_id, name, created_at FROM repositories WHERE project_id = $1 AND deleted_at IS NULL
             ORDER BY name FOR UPDATE",
        lite: "SELECT id, project_id, name, created_at FROM repositories WHERE project_id = $1 AND deleted_at IS NULL
               ORDER BY name",
    );
    DELETE_PROJECT =
        sql!("UPDATE projects SET deleted_at = $2, deletion_id = $3, updated_at = $2 WHERE id = $1");
    REMOVE_MEMBERS = sql!("DELETE FROM project_members WHERE project_id = $1");
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

    async fn project_by_id(&self, id: ProjectId) -> Result<Option<Project>> {
        let row: Option<Row> = optional!(self, PROJECT_BY_ID, id.0);
        row.map(project).transpose()
    }

    async fn projects_named(&self, names: &[ProjectName]) -> Result<Vec<Project>> {
        let names: Vec<&str> = names.iter().map(ProjectName::as_str).collect();
        let rows: Vec<Row> = all!(self, PROJECTS_NAMED, json!(names).to_string());
        rows.into_iter().map(project).collect()
    }

    async fn project_names(&self, ids: &[ProjectId]) -> Result<Vec<(ProjectId, ProjectName)>> {
        let ids = batch::numbers(ids.iter().map(|id| id.0));
        let rows: Vec<(i64, String)> = all!(self, PROJECT_NAMES, &ids);
        let named = rows.iter().map(|(id, name)| Ok((ProjectId(*id), parse("the project's name", name)?)));
        named.collect()
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

    async fn add_project(
        &mut self,
        name: &ProjectName,
        public: bool,
        owner: UserId,
        storage_limit: Option<u64>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Added<ProjectId>> {
        let row: Option<(i64,)> = optional!(
            self,
            ADD_OWNED_PROJECT,
            name.as_str(),
            public,
            owner.0,
            storage_limit.map(signed),
            at.as_micros(),
            by.kind.as_str(),
            by.id,
            &by.name
        );
        let Some((id,)) = row else { return Ok(Added::Exists) };
        let id = ProjectId(id);
        self.add_member(id, MemberEntity::User(owner), RoleId::PROJECT_ADMIN, at).await?;
        Ok(Added::Added(id))
    }

    async fn lock_project(&mut self, id: ProjectId) -> Result<Option<Project>> {
        let row: Option<Row> = optional!(self, LOCK_PROJECT, id.0);
        row.map(project).transpose()
    }

    async fn set_project_public(&mut self, id: ProjectId, public: bool, at: Timestamp) -> Result<()> {
        execute!(self, SET_PUBLIC, id.0, public, at.as_micros());
        Ok(())
    }

    async fn set_project_metadata(
        &mut self,
        id: ProjectId,
        key: ProjectMetadataKey,
        value: Option<&str>,
        at: Timestamp,
    ) -> Result<bool> {
        if key == ProjectMetadataKey::Public {
            // It stands in the project's own row.
            self.set_project_public(id, value == Some("true"), at).await?;
            return Ok(true);
        }
        execute!(self, TOUCH_PROJECT, id.0, at.as_micros());
        let Some(value) = value else {
            return Ok(execute!(self, REMOVE_METADATA, id.0, key.as_str()) > 0);
        };
        let was_there = execute!(self, CHANGE_METADATA, id.0, key.as_str(), value) > 0;
        if !was_there {
            execute!(self, ADD_METADATA, id.0, key.as_str(), value);
        }
        Ok(was_there)
    }

    async fn set_project_storage_limit(
        &mut self,
        id: ProjectId,
        limit: Option<u64>,
        at: Timestamp,
    ) -> Result<()> {
        execute!(self, SET_STORAGE_LIMIT, id.0, limit.map(signed), at.as_micros());
        Ok(())
    }

    async fn delete_empty_project(
        &mut self,
        id: ProjectId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Option<Vec<RepositoryName>>> {
        if self.lock_project(id).await?.is_none() || self.has_filled_repository(id).await? {
            return Ok(None);
        }
        let rows: Vec<RepositoryRow> = all!(self, LOCK_REPOSITORIES, id.0);
        // A push that was waited for may have brought a manifest; from here on nobody can, nor make a repository.
        if !rows.is_empty() && self.has_filled_repository(id).await? {
            return Ok(None);
        }
        let deletion = Deletion { id: deletion_of(id), by: by.clone(), at };
        self.note_deletion(&deletion).await?;
        let mut gone = Vec::with_capacity(rows.len());
        for row in rows {
            let repository = repository(row)?;
            self.delete_repository(&repository, &deletion).await?;
            gone.push(repository.name);
        }
        execute!(self, DELETE_PROJECT, id.0, at.as_micros(), deletion.id.0.as_bytes().as_slice());
        execute!(self, REMOVE_MEMBERS, id.0);
        self.delete_robots_of(id).await?;
        Ok(Some(gone))
    }
}

impl SqlTransaction {
    async fn has_filled_repository(&mut self, project: ProjectId) -> Result<bool> {
        let one: Option<(i64,)> = optional!(self, ANY_FILLED_REPOSITORY, project.0);
        Ok(one.is_some())
    }
}

/// The act that deletes a project: its name follows from the project's number, because a project is deleted once at most.
pub(crate) fn deletion_of(project: ProjectId) -> DeletionId {
    DeletionId(Uuid::from_u64_pair(u64::from_be_bytes(*b"project:"), project.0.cast_unsigned()))
}
