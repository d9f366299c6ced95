//! Projects as administrators see them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use berth_domain::{Project, ProjectId, ProjectMetadataKey, UserId};
use berth_metadata::project_page::{ProjectFilter, ProjectOrder, ProjectPage, ProjectPageReads, Visibility};
use berth_metadata::{Result, Window};

use crate::standing::roles;
use crate::value::{parse, time, unsigned};
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
