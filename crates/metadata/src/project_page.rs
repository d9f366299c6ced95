//! Projects as an administrator sees them: owner, settings, quota, counts.

use async_trait::async_trait;
use berth_domain::{Project, ProjectId, ProjectMetadataKey, RoleId, Timestamp, UserId};

use crate::{Result, Window};

/// A project with what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectPage {
    /// The project.
    pub project: Project,
    /// Whose it is.
    pub owner: UserId,
    /// The owner's name; empty if the account is gone.
    pub owner_name: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its settings, without `public`.
    pub metadata: Vec<(ProjectMetadataKey, String)>,
    /// How many live repositories it has with at least one live manifest.
    pub repositories: u64,
    /// How many bytes it may hold; `None` is as many as there is room for.
    pub storage_limit: Option<u64>,
    /// The roles in it of the user that was asked for.
    pub roles: Vec<RoleId>,
}

/// Which projects a list shows: what is visible, and of that what the filter lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Whose eyes: public projects and those in which this user has a role. [`Visibility::All`] for administrators.
    pub visible: Visibility,
    /// This within the name.
    pub name_like: Option<String>,
    /// Exactly one of these names; none does not restrict.
    pub name: Vec<String>,
    /// Public, or not.
    pub public: Option<bool>,
    /// Of an owner with exactly one of these names.
    pub owner: Vec<String>,
}

/// What of the projects is visible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Public ones.
    #[default]
    Public,
    /// Public ones and those where the user has a role.
    User(UserId),
    /// Public ones and these: a robot's.
    Projects(Vec<ProjectId>),
    /// All.
    All,
}

/// By what a list of projects is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectOrder {
    /// By number.
    #[default]
    Id,
    /// By name, in byte order.
    Name,
    /// By when it was made, then by number.
    CreatedAt,
}

/// Looking at projects' pages.
#[async_trait]
pub trait ProjectPageReads {
    /// The live project with all that hangs on it; `viewer` is whose roles are told.
    async fn project_page(&self, id: ProjectId, viewer: Option<UserId>) -> Result<Option<ProjectPage>>;

    /// Some projects.
    async fn project_pages(
        &self,
        filter: &ProjectFilter,
        viewer: Option<UserId>,
        window: Window<ProjectOrder>,
    ) -> Result<Vec<ProjectPage>>;

    /// How many projects the filter lets through.
    async fn count_projects(&self, filter: &ProjectFilter) -> Result<u64>;
}
