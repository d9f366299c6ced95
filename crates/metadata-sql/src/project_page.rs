//! Projects as administrators see and change them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use berth_domain::{
    Actor, DeletionId, MemberEntity, Project, ProjectId, ProjectMetadataKey, RoleId, Timestamp, UserId,
};
use berth_metadata::member::MemberWrites as _;
use berth_metadata::project_page::{
    ProjectFilter, ProjectOrder, ProjectPage, ProjectPageReads, ProjectPageWrites, Visibility,
};
use berth_metadata::robot::RobotWrites as _;
use berth_metadata::{Added, Deletion, RepositoryWrites as _, Result, Window};
use berth_oci::{ProjectName, RepositoryName};
use serde_json::json;
use uuid::Uuid;

use crate::project::{Row as ProjectRow, project};
use crate::repository::{Row as RepositoryRow, repository};
use crate::standing::roles;
use crate::transaction::SqlTransaction;
use crate::value::{parse, signed, time, unsigned};
use crate::window::{BY_CREATION, BY_ID, BY_NAME, Cut, among, within};
use crate::{SqlMetadata, batch};

/// The columns of a page, of the live projects `p` with their owners `o`; the roles are those of the user `$viewer`.
macro_rules! columns {
    ($viewer:literal) => {
        concat!(
            "p.id, p.name, p.public, p.created_at, p.owner_id, COALESCE(o.username, '') AS owner_name,
             p.updated_at, p.storage_limit,
             (SELECT COUNT(*) FROM repositories r
              WHERE r.project_id = p.id AND r.filled AND r.deleted_at IS NULL) AS repositories,
             (SELECT string_agg(CAST(r.role_id AS TEXT), ',') FROM (
                  SELECT m.role_id FROM project_members m
                  WHERE m.entity_type = 'u' AND m.entity_id = ",
            $viewer,
            " AND m.project_id = p.id
                  UNION
                  SELECT m.role_id FROM user_group_members g CROSS JOIN project_members m
                  WHERE g.user_id = ",
            $viewer,
            " AND m.entity_type = 'g' AND m.entity_id = g.group_id
                  AND m.project_id = p.id
              ) AS r) AS roles"
        )
    };
}

/// What a list shows: everything if `$1`, else what is public, what the user `$2` has a role in, and what stands in the
/// list `$3`, which has a comma before and after each number.
/// The later parameters restrict unless they are null.
macro_rules! filtered {
    () => {
        concat!(
            " FROM projects p LEFT JOIN users o ON o.id = p.owner_id AND o.deleted_at IS NULL
              WHERE p.deleted_at IS NULL
              AND (CAST($1 AS BOOLEAN) OR p.public
                   OR p.id IN (SELECT m.project_id FROM project_members m
                               WHERE m.entity_type = 'u' AND m.entity_id = $2)
                   OR p.id IN (SELECT m.project_id FROM user_group_members g CROSS JOIN project_members m
                               WHERE g.user_id = $2 AND m.entity_type = 'g' AND m.entity_id = g.group_id)
                   OR $3 LIKE '%,' || CAST(p.id AS TEXT) || ',%')",
            one_of!("$4", "p.name"),
            " AND (CAST($5 AS TEXT) IS NULL OR lower(p.name) LIKE $5 ESCAPE '!')
              AND (CAST($6 AS BOOLEAN) IS NULL OR p.public = $6)",
            one_of!("$7", "o.username")
        )
    };
}

statements! {
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
    PAGE = sql!(concat!(
        "SELECT ",
        columns!("$2"),
        " FROM projects p LEFT JOIN users o ON o.id = p.owner_id AND o.deleted_at IS NULL
         WHERE p.deleted_at IS NULL AND p.id = $1"
    ));
    PAGES = sql!(concat!(
        "SELECT ",
        columns!("$8"),
        filtered!(),
        windowed!("$9", "$10", "$11", "p.id", "p.name", "p.created_at")
    ));
    COUNT_PROJECTS = sql!(concat!("SELECT COUNT(*)", filtered!()));
    METADATA_OF = sql!(
        pg: "SELECT m.project_id, m.name, m.value FROM project_metadata m
             WHERE m.project_id = ANY (
                 ARRAY(SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($1 AS json)) AS e))
             ORDER BY m.project_id, m.name",
        lite: "SELECT m.project_id, m.name, m.value FROM project_metadata m
               WHERE m.project_id IN (SELECT value FROM json_each($1)) ORDER BY m.project_id, m.name",
    );
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

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    name: String,
    public: bool,
    created_at: i64,
    owner_id: i64,
    owner_name: String,
    updated_at: i64,
    storage_limit: Option<i64>,
    repositories: i64,
    roles: Option<String>,
}

type MetadataRow = (i64, String, String);
type Settings = Vec<(ProjectMetadataKey, String)>;

fn page(row: Row, metadata: Settings) -> Result<ProjectPage> {
    let project = Project {
        id: ProjectId(row.id),
        name: parse("the project's name", &row.name)?,
        public: row.public,
        created_at: time(row.created_at),
    };
    Ok(ProjectPage {
        project,
        owner: UserId(row.owner_id),
        owner_name: row.owner_name,
        updated_at: time(row.updated_at),
        metadata,
        repositories: unsigned(row.repositories)?,
        storage_limit: row.storage_limit.map(unsigned).transpose()?,
        roles: roles(row.roles.as_deref())?,
    })
}

/// A filter's parameters.
struct Filter {
    all: bool,
    user: Option<i64>,
    projects: String,
    name: Option<String>,
    name_like: Option<String>,
    owner: Option<String>,
}

impl From<&ProjectFilter> for Filter {
    fn from(filter: &ProjectFilter) -> Self {
        let (user, projects): (_, &[ProjectId]) = match &filter.visible {
            Visibility::Public | Visibility::All => (None, &[]),
            Visibility::User(user) => (Some(user.0), &[]),
            Visibility::Projects(projects) => (None, projects),
        };
        let listed: Vec<String> = projects.iter().map(|project| project.0.to_string()).collect();
        Self {
            all: filter.visible == Visibility::All,
            user,
            projects: format!(",{},", listed.join(",")),
            name: among(&filter.name),
            name_like: filter.name_like.as_deref().map(within),
            owner: among(&filter.owner),
        }
    }
}

impl SqlMetadata {
    /// The settings of projects. One that this program does not know is left out.
    async fn settings_of(&self, projects: &[Row]) -> Result<BTreeMap<i64, Settings>> {
        let ids = batch::numbers(projects.iter().map(|row| row.id));
        let rows: Vec<MetadataRow> = all!(self, METADATA_OF, &ids);
        let mut settings: BTreeMap<i64, Settings> = BTreeMap::new();
        for (project, name, value) in rows {
            if let Ok(key) = ProjectMetadataKey::parse(&name) {
                settings.entry(project).or_default().push((key, value));
            }
        }
        Ok(settings)
    }

    async fn pages(&self, rows: Vec<Row>) -> Result<Vec<ProjectPage>> {
        let mut settings = self.settings_of(&rows).await?;
        rows.into_iter()
            .map(|row| {
                let metadata = settings.remove(&row.id).unwrap_or_default();
                page(row, metadata)
            })
            .collect()
    }
}

#[async_trait]
impl ProjectPageReads for SqlMetadata {
    async fn project_by_id(&self, id: ProjectId) -> Result<Option<Project>> {
        let row: Option<ProjectRow> = optional!(self, PROJECT_BY_ID, id.0);
        row.map(project).transpose()
    }

    async fn projects_named(&self, names: &[ProjectName]) -> Result<Vec<Project>> {
        let names: Vec<&str> = names.iter().map(ProjectName::as_str).collect();
        let rows: Vec<ProjectRow> = all!(self, PROJECTS_NAMED, json!(names).to_string());
        rows.into_iter().map(project).collect()
    }

    async fn project_names(&self, ids: &[ProjectId]) -> Result<Vec<(ProjectId, ProjectName)>> {
        let ids = batch::numbers(ids.iter().map(|id| id.0));
        let rows: Vec<(i64, String)> = all!(self, PROJECT_NAMES, &ids);
        let named = rows.iter().map(|(id, name)| Ok((ProjectId(*id), parse("the project's name", name)?)));
        named.collect()
    }

    async fn project_page(&self, id: ProjectId, viewer: Option<UserId>) -> Result<Option<ProjectPage>> {
        let row: Option<Row> = optional!(self, PAGE, id.0, viewer.map(|user| user.0));
        Ok(self.pages(row.into_iter().collect()).await?.pop())
    }

    async fn project_pages(
        &self,
        filter: &ProjectFilter,
        viewer: Option<UserId>,
        window: Window<ProjectOrder>,
    ) -> Result<Vec<ProjectPage>> {
        let f = Filter::from(filter);
        let column = match window.order {
            ProjectOrder::Id => BY_ID,
            ProjectOrder::Name => BY_NAME,
            ProjectOrder::CreatedAt => BY_CREATION,
        };
        let Cut { sort, limit, offset } = Cut::of(&window, column);
        let rows: Vec<Row> = all!(
            self,
            PAGES,
            f.all,
            f.user,
            &f.projects,
            &f.name,
            &f.name_like,
            filter.public,
            &f.owner,
            viewer.map(|user| user.0),
            sort,
            limit,
            offset
        );
        self.pages(rows).await
    }

    async fn count_projects(&self, filter: &ProjectFilter) -> Result<u64> {
        let f = Filter::from(filter);
        let (count,): (i64,) = one!(
            self,
            COUNT_PROJECTS,
            f.all,
            f.user,
            &f.projects,
            &f.name,
            &f.name_like,
            filter.public,
            &f.owner
        );
        unsigned(count)
    }
}

#[async_trait]
impl ProjectPageWrites for SqlTransaction {
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
        let row: Option<ProjectRow> = optional!(self, LOCK_PROJECT, id.0);
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
