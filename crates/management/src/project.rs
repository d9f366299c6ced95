//! Projects: made, seen, changed and deleted.

use berth_access::owner_of_new_project;
use berth_cache::Key;
use berth_domain::{
    Action, Project, ProjectId, ProjectMetadataKey, Resource, RobotGrant, RobotScope, RoleId, UserId,
};
use berth_metadata::Transaction;
use berth_metadata::user::Added;
use berth_oci::{ProjectName, RepositoryName};

use crate::guarded::Guarded;
use crate::{Error, Listed, ProjectOrder, ProjectPage, ProjectRef, Result, Window};
use berth_metadata::retry;

/// A new project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// Its settings by Harbor's keys, `public` among them; keys that are not known are passed over.
    pub metadata: Vec<(String, String)>,
    /// How many bytes it may hold; -1, 0 or nothing is as many as there is room for. Passed over
    /// unless the caller may set quotas, or is a robot.
    pub storage_limit: Option<i64>,
}

/// Which of the visible projects a list shows. What is empty does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// This within the name.
    pub name_like: Option<String>,
    /// Exactly one of these names.
    pub name: Vec<String>,
    /// Public, or not.
    pub public: Option<bool>,
    /// Of an owner with exactly one of these names.
    pub owner: Vec<String>,
}

/// A project in numbers, as far as the caller may know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// How many repositories it has that have a manifest.
    pub repositories: u64,
    /// How much it may hold and holds, for whoever may read quotas.
    pub quota: Option<QuotaUse>,
    /// How many members have each role, for whoever may list members.
    pub members: Option<Vec<(RoleId, u64)>>,
}

/// A limit and what is used of it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// `None` is as much as there is room for.
    pub limit: Option<u64>,
    /// The size of all blobs, each counted once.
    pub used: u64,
}

/// Settings that were read and found good.
type Settings = Vec<(ProjectMetadataKey, String)>;

impl Guarded<'_> {
    /// Makes a project. Whose it is then, [`owner_of_new_project`] says.
    pub async fn create_project(&self, wanted: &NewProject) -> Result<ProjectId> {
        self.check(Resource::Project, Action::Create).await?;
        let name: ProjectName = wanted.name.parse().map_err(|_| Error::invalid(NAME))?;
        let settings = read(&wanted.metadata)?;
        let limit = read_limit(wanted.storage_limit.unwrap_or(-1))?;
        let limit = if self.may_limit().await? { limit } else { None };
        let owner = owner_of_new_project(self.metadata().as_ref(), &self.caller.actor).await?;
        let id = retry!(self.add_project(&name, &settings, owner, limit).await)?;
        self.management.parts().authority.forget_project(&name).await;
        Ok(id)
    }

    /// Whether the caller says how much a project that they make may hold: who may set quotas, and as in Harbor every robot that was
    /// given the right to make projects.
    async fn may_limit(&self) -> Result<bool> {
        let outside = self.management.access().permitted(self.caller, None).await?;
        let given = self.own_grants().await?;
        let makes = |grant: &RobotGrant| {
            grant.scope == RobotScope::System && grant.access.contains(Resource::Project, Action::Create)
        };
        Ok(outside.contains(Resource::Quota, Action::Update) || given.iter().any(makes))
    }

    async fn add_project(
        &self,
        name: &ProjectName,
        settings: &Settings,
        owner: UserId,
        limit: Option<u64>,
    ) -> Result<ProjectId> {
        let (at, by) = (self.management.now(), &self.caller.actor);
        let mut tx = self.begin().await?;
        let Added::Added(id) = tx.add_project(name, false, owner, limit, by, at).await? else {
            return Err(Error::exists("project", &name));
        };
        self.set_all(tx.as_mut(), id, settings).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A page of the projects that the caller may see.
    pub async fn projects(
        &self,
        filter: &ProjectFilter,
        window: Window<ProjectOrder>,
    ) -> Result<Listed<ProjectPage>> {
        self.check(Resource::Project, Action::List).await?;
        let visible = self.management.access().visible_projects(self.caller).await?;
        let ProjectFilter { name_like, name, public, owner } = filter.clone();
        let filter = berth_metadata::project_page::ProjectFilter { visible, name_like, name, public, owner };
        let items = self.metadata().project_pages(&filter, self.person(), window).await?;
        Ok(Listed { items, total: self.metadata().count_projects(&filter).await? })
    }

    /// One project with all that hangs on it.
    pub async fn project(&self, named: &ProjectRef) -> Result<ProjectPage> {
        let project = self.project_for(named, Resource::Project, Action::Read).await?;
        self.page_of(&project).await
    }

    /// Says nothing if the name is taken. Everybody with an account is told, also of projects that they cannot see, as in Harbor:
    /// who makes a project learns it anyway.
    pub async fn project_exists(&self, named: &ProjectRef) -> Result<()> {
        self.check_account(Resource::Project, Action::Read).await?;
        self.find_project(named).await?.map(drop).ok_or_else(|| Error::not_found("project", &named))
    }

    /// Changes some of a project's settings; the others stay. Keys that are not known are passed over.
    pub async fn update_project(&self, named: &ProjectRef, metadata: &[(String, String)]) -> Result<()> {
        let project = self.project_for(named, Resource::Project, Action::Update).await?;
        let settings = read(metadata)?;
        retry!(self.change_project(&project, &settings).await)?;
        self.management.parts().authority.forget_project(&project.name).await;
        Ok(())
    }

    async fn change_project(&self, project: &Project, settings: &Settings) -> Result<()> {
        let mut tx = self.begin().await?;
        self.lock(tx.as_mut(), project).await?;
        self.set_all(tx.as_mut(), project.id, settings).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets how many bytes a project may hold; -1 is as many as there is room for.
    pub async fn set_storage_limit(&self, named: &ProjectRef, limit: i64) -> Result<()> {
        self.check(Resource::Quota, Action::Update).await?;
        let project = self.project_for(named, Resource::Quota, Action::Read).await?;
        let limit = read_limit(limit)?;
        retry!(self.change_limit(&project, limit).await)
    }

    async fn change_limit(&self, project: &Project, limit: Option<u64>) -> Result<()> {
        let mut tx = self.begin().await?;
        self.lock(tx.as_mut(), project).await?;
        tx.set_project_storage_limit(project.id, limit, self.management.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Why the project cannot be deleted now; `None` if it can.
    pub async fn project_deletable(&self, named: &ProjectRef) -> Result<Option<&'static str>> {
        let project = self.project_for(named, Resource::Project, Action::Delete).await?;
        let page = self.page_of(&project).await?;
        Ok((page.repositories > 0).then_some(NOT_EMPTY))
    }

    /// Deletes a project in which no repository has a manifest: its members and robots go with it, and blobs that were pushed and
    /// never named; its number stays taken. Uploads into it that are under way end as those into a project that is not there.
    pub async fn delete_project(&self, named: &ProjectRef) -> Result<()> {
        let project = self.project_for(named, Resource::Project, Action::Delete).await?;
        let gone = retry!(self.remove_project(&project).await)?;
        let parts = self.management.parts();
        parts.authority.forget_project(&project.name).await;
        let keys: Vec<_> = gone.iter().map(|name| Key::repository(name.as_str())).collect();
        parts.cache.invalidate(&keys).await;
        Ok(())
    }

    /// The repositories that went with it.
    async fn remove_project(&self, project: &Project) -> Result<Vec<RepositoryName>> {
        let (by, at) = (&self.caller.actor, self.management.now());
        let mut tx = self.begin().await?;
        self.lock(tx.as_mut(), project).await?;
        let gone = tx.delete_empty_project(project.id, by, at).await?;
        let gone = gone.ok_or(Error::Precondition(NOT_EMPTY))?;
        tx.commit().await?;
        Ok(gone)
    }

    /// A project in numbers.
    pub async fn project_summary(&self, named: &ProjectRef) -> Result<ProjectSummary> {
        let project = self.project_for(named, Resource::Project, Action::Read).await?;
        let page = self.page_of(&project).await?;
        let may = self.management.access().permitted(self.caller, Some(&project.name)).await?;
        let quota = if may.contains(Resource::Quota, Action::Read) {
            let used = self.metadata().project_usage(project.id).await?;
            Some(QuotaUse { limit: page.storage_limit, used })
        } else {
            None
        };
        let members = if may.contains(Resource::Member, Action::List) {
            Some(self.metadata().count_members_by_role(project.id).await?)
        } else {
            None
        };
        Ok(ProjectSummary { repositories: page.repositories, quota, members })
    }

    async fn page_of(&self, project: &Project) -> Result<ProjectPage> {
        let page = self.metadata().project_page(project.id, self.person()).await?;
        page.ok_or_else(|| Error::not_found("project", &&project.name))
    }

    /// Keeps the project as it is until the transaction ends.
    pub(crate) async fn lock(&self, tx: &mut dyn Transaction, project: &Project) -> Result<()> {
        let there = tx.lock_project(project.id).await?;
        there.map(drop).ok_or_else(|| Error::not_found("project", &&project.name))
    }

    async fn set_all(&self, tx: &mut dyn Transaction, id: ProjectId, settings: &Settings) -> Result<()> {
        for (key, value) in settings {
            tx.set_project_metadata(id, *key, Some(value), self.management.now()).await?;
        }
        Ok(())
    }
}

const NAME: &str =
    "project_name must be 1 to 255 lowercase letters and numbers, joined by single '.', '_' or '-'";
const NOT_EMPTY: &str = "the project contains repositories, can not be deleted: delete those first";

/// Reads settings; keys that are not known are passed over, as Harbor does with fields that it does not know.
fn read(metadata: &[(String, String)]) -> Result<Settings> {
    let known =
        metadata.iter().filter_map(|(key, value)| Some((ProjectMetadataKey::parse(key).ok()?, value)));
    known.map(|(key, value)| Ok((key, key.normalise(value)?))).collect()
}

/// Reads a limit in Harbor's form.
fn read_limit(bytes: i64) -> Result<Option<u64>> {
    match u64::try_from(bytes) {
        Ok(0) => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(_) if bytes == -1 => Ok(None),
        Err(_) => Err(Error::invalid("storage_limit must be -1 (no limit) or a positive number of bytes")),
    }
}
