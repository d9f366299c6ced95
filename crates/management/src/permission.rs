//! What somebody may do, for pages that show it.

use berth_access::Reason;
use berth_domain::{Action, Permission, PermissionSet, ProjectId, Resource, Role, RoleId, Scope};

use crate::Result;
use crate::guarded::Guarded;

/// What robots can be given, as far as the caller may give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Outside of projects; for system administrators.
    pub system: Option<&'static PermissionSet>,
    /// In projects.
    pub project: &'static PermissionSet,
}

impl Guarded<'_> {
    /// What robots can be given; for system administrators, and for those who may make robots in some project.
    pub async fn permissions(&self) -> Result<Catalogue> {
        self.check_account(Resource::Robot, Action::Create).await?;
        let project = Scope::Project.catalogue();
        if self.check_sysadmin(Resource::Robot, Action::Create).await.is_ok() {
            return Ok(Catalogue { system: Some(Scope::System.catalogue()), project });
        }
        if !self.makes_robots_somewhere().await? {
            return Err(self.denied(Reason::Missing, Resource::Robot, Action::Create));
        }
        Ok(Catalogue { system: None, project })
    }

    /// What the caller may do in a scope in Harbor's form: `/system`, or `/project/` and a number. Another scope has nothing.
    pub async fn current_permissions(&self, scope: &str) -> Result<Vec<Permission>> {
        self.check_known(Resource::User, Action::Read).await?;
        let project = scope.strip_prefix("/project/").and_then(|id| id.parse().ok()).map(ProjectId);
        let (permitted, known) = match project {
            Some(id) => match self.metadata().project_by_id(id).await? {
                Some(project) => {
                    let name = Some(&project.name);
                    (self.management.access().permitted(self.caller, name).await?, in_projects())
                }
                None => return Ok(Vec::new()),
            },
            None if scope == "/system" => {
                let permitted = self.management.access().permitted(self.caller, None).await?;
                (permitted, *Scope::System.catalogue())
            }
            None => return Ok(Vec::new()),
        };
        Ok(permitted.intersection(&known).iter().collect())
    }

    async fn makes_robots_somewhere(&self) -> Result<bool> {
        let Some(user) = self.person() else { return Ok(false) };
        let roles = self.metadata().roles().await?;
        let makes = |id: RoleId| {
            let role = roles.iter().chain(Role::harbors()).find(|role| role.id == id);
            role.is_some_and(|role| role.permissions.contains(Resource::Robot, Action::Create))
        };
        Ok(self.metadata().projects_of(user).await?.into_iter().any(|(_, role)| makes(role)))
    }
}

/// Everything that can be permitted in a project: what is in some role, and what robots can be given.
fn in_projects() -> PermissionSet {
    let roles = Role::harbors().iter().map(|role| &role.permissions);
    roles.fold(*Scope::Project.catalogue(), PermissionSet::union)
}
