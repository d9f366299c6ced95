//! Robots: machines' accounts, made for the installation or for a project.
//!
//! Whoever may make robots in a project may give them anything of the project's catalogue there, as in Harbor: it holds nothing that
//! reaches out of the project. A robot that makes robots gives them no more than it has itself.

mod wanted;

use berth_access::{Secret, robot_secret};
use berth_domain::user::check_password;
use berth_domain::{
    Action, ActorKind, PermissionSet, Project, ProjectId, Resource, Robot, RobotGrant, RobotId, RobotLevel,
    RobotLogin, RobotScope,
};
use berth_metadata::robot::{NewRobot, RobotChange, RobotCredentials};
use berth_metadata::user::Added;
use berth_oci::ProjectName;

use crate::guarded::Guarded;
use crate::{Error, Listed, ProjectRef, Result, RobotFilter, RobotOrder, Window};
use berth_metadata::retry;

pub use wanted::{RobotPermission, WantedRobot};

/// A robot as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotPage {
    /// The account; its grants hold by projects' numbers.
    pub robot: Robot,
    /// The name that it logs in with.
    pub name: String,
    /// Its grants by projects' names; those in projects that are gone are left out.
    pub grants: Vec<RobotGrantPage>,
}

/// What a robot may do in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotGrantPage {
    /// `system` or `project`.
    pub kind: &'static str,
    /// `/`, `*`, or a project's name.
    pub namespace: String,
    /// What.
    pub access: PermissionSet,
}

/// A robot that was just made, with the secret that is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeRobot {
    /// The robot.
    pub page: RobotPage,
    /// Its secret.
    pub secret: Secret,
}

impl Guarded<'_> {
    /// Makes a robot with a generated secret.
    pub async fn create_robot(&self, wanted: &WantedRobot) -> Result<MadeRobot> {
        self.check_account(Resource::Robot, Action::Create).await?;
        let place = self.place_of(wanted).await?;
        let level = place.as_ref().map_or(RobotLevel::System, |project| RobotLevel::Project(project.id));
        berth_domain::robot::check_name(&wanted.name)?;
        wanted.check_description()?;
        let grants = self.grants(place.as_ref(), wanted).await?;
        let parts = self.management.parts();
        let secret = robot_secret::generate(parts.entropy.as_ref());
        let robot = NewRobot {
            name: wanted.name.clone(),
            level,
            description: wanted.description.clone(),
            duration: wanted.days(self.management.settings().robot_duration)?,
            disabled: wanted.disabled,
            grants,
            secret: parts.secret_key.keep(&secret),
            creator: self.caller.actor.clone(),
        };
        let id = retry!(self.add_robot(&robot).await)?;
        let kept = self.metadata().robot(id).await?.ok_or_else(|| Error::not_found("robot", &id.0))?;
        let page = self.robot_page(kept.robot).await?;
        Ok(MadeRobot { page, secret })
    }

    async fn add_robot(&self, robot: &NewRobot) -> Result<RobotId> {
        let mut tx = self.begin().await?;
        let Added::Added(id) = tx.add_robot(robot, self.management.now()).await? else {
            return Err(Error::exists("robot", &&robot.name));
        };
        tx.commit().await?;
        Ok(id)
    }

    /// A page of the robots of the installation or of one project.
    pub async fn robots(
        &self,
        filter: &RobotFilter,
        window: Window<RobotOrder>,
    ) -> Result<Listed<RobotPage>> {
        let project = self.check_level(filter.level, Action::List).await?;
        let name = filter.name.iter().map(|name| self.own_name(project.as_ref(), name)).collect();
        let filter = RobotFilter { name, ..filter.clone() };
        let robots = self.metadata().robots(&filter, window).await?;
        let total = self.metadata().count_robots(&filter).await?;
        Ok(Listed { items: self.robot_pages(robots).await?, total })
    }

    /// The project of that level's robots, none for the installation's; if the caller may do this to them.
    async fn check_level(&self, level: RobotLevel, action: Action) -> Result<Option<ProjectName>> {
        match level {
            RobotLevel::System => self.check(Resource::Robot, action).await.map(|()| None),
            RobotLevel::Project(id) => {
                let project = self.project_for(&ProjectRef::Id(id), Resource::Robot, action).await?;
                Ok(Some(project.name))
            }
        }
    }

    /// A robot's own name, also where the name that it logs in with is given, or `project+name`, which Harbor looks for.
    fn own_name(&self, project: Option<&ProjectName>, given: &str) -> String {
        let prefixes = ["", self.management.settings().robot_prefix.as_str()];
        let mut logins = prefixes.iter().filter_map(|prefix| RobotLogin::parse(prefix, given));
        let login = logins.find(|login| login.project.as_ref() == project);
        login.map_or_else(|| given.to_owned(), |login| login.name)
    }

    /// One robot.
    pub async fn robot(&self, id: RobotId) -> Result<RobotPage> {
        let kept = self.robot_for(id, Action::Read).await?;
        self.robot_page(kept.robot).await
    }

    /// Changes a robot. Its name, its level and its project stay; a duration counts from its creation.
    pub async fn update_robot(&self, id: RobotId, wanted: &WantedRobot) -> Result<()> {
        let RobotCredentials { robot, project, .. } = self.robot_for(id, Action::Update).await?;
        let name = self.login(project.clone(), &robot.name);
        if wanted.level != level_name(robot.level) || (wanted.name != name && wanted.name != robot.name) {
            return Err(Error::invalid("the name and the level of a robot cannot be changed"));
        }
        wanted.check_description()?;
        let place = match (&project, robot.level) {
            (Some(name), RobotLevel::Project(id)) => {
                let created_at = robot.created_at;
                Some(Project { id, name: name.clone(), public: false, created_at })
            }
            _ => None,
        };
        let grants = self.grants(place.as_ref(), wanted).await?;
        let duration = match wanted.duration {
            None => robot.duration,
            Some(_) => wanted.days(self.management.settings().robot_duration)?,
        };
        let description = wanted.description.clone();
        let change = RobotChange { description, duration, disabled: wanted.disabled, grants };
        retry!(self.change_robot(id, &change).await)?;
        self.forget_robot(id).await;
        Ok(())
    }

    async fn change_robot(&self, id: RobotId, change: &RobotChange) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.change_robot(id, change, self.management.now()).await? {
            return Err(Error::not_found("robot", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Gives a robot another secret, the chosen one or a generated one, which is told once; what was issued to it ends. One that is
    /// over stays over: its duration is changed by itself.
    pub async fn refresh_robot(&self, id: RobotId, chosen: Option<Secret>) -> Result<Option<Secret>> {
        self.robot_for(id, Action::Update).await?;
        let parts = self.management.parts();
        let (kept, told) = if let Some(secret) = chosen {
            check_password(secret.reveal())?;
            (parts.passwords.hash(secret).await?.as_str().to_owned(), None)
        } else {
            let secret = robot_secret::generate(parts.entropy.as_ref());
            (parts.secret_key.keep(&secret), Some(secret))
        };
        retry!(self.keep_robot_secret(id, &kept).await)?;
        self.forget_robot(id).await;
        Ok(told)
    }

    async fn keep_robot_secret(&self, id: RobotId, kept: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.set_robot_secret(id, kept, self.management.now()).await? {
            return Err(Error::not_found("robot", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes a robot away; what was issued to it ends.
    pub async fn delete_robot(&self, id: RobotId) -> Result<()> {
        self.robot_for(id, Action::Delete).await?;
        retry!(self.remove_robot(id).await)?;
        self.forget_robot(id).await;
        Ok(())
    }

    async fn remove_robot(&self, id: RobotId) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.delete_robot(id).await? {
            return Err(Error::not_found("robot", &id.0));
        }
        tx.commit().await?;
        Ok(())
    }

    /// The robot, if the caller may do this to it. That a number is nobody's is said to every account, as in Harbor: numbers follow
    /// each other, and say nothing.
    async fn robot_for(&self, id: RobotId, action: Action) -> Result<RobotCredentials> {
        self.check_account(Resource::Robot, action).await?;
        let kept = self.metadata().robot(id).await?.ok_or_else(|| Error::not_found("robot", &id.0))?;
        let access = self.management.access();
        access.check(self.caller, kept.project.as_ref(), Resource::Robot, action).await?;
        Ok(kept)
    }

    async fn robot_page(&self, robot: Robot) -> Result<RobotPage> {
        let pages = self.robot_pages(vec![robot]).await?;
        pages.into_iter().next().ok_or_else(|| Error::not_found("robot", &""))
    }

    /// The robots as they are shown: one look-up of all projects that they name.
    async fn robot_pages(&self, robots: Vec<Robot>) -> Result<Vec<RobotPage>> {
        let mut ids: Vec<ProjectId> = robots.iter().flat_map(projects_of).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut names = self.metadata().project_names(&ids).await?;
        names.sort_unstable();
        let name_of = |id: ProjectId| {
            let at = names.binary_search_by_key(&id, |(known, _)| *known).ok()?;
            Some(names[at].1.clone())
        };
        Ok(robots.into_iter().map(|robot| self.show(robot, &name_of)).collect())
    }

    fn show(&self, robot: Robot, name_of: &dyn Fn(ProjectId) -> Option<ProjectName>) -> RobotPage {
        let project = match robot.level {
            RobotLevel::System => None,
            RobotLevel::Project(id) => name_of(id),
        };
        let grants = robot.grants.iter().filter_map(|grant| show_grant(grant, name_of)).collect();
        RobotPage { name: self.login(project, &robot.name), grants, robot }
    }

    fn login(&self, project: Option<ProjectName>, name: &str) -> String {
        let login = RobotLogin { project, name: name.to_owned() };
        login.render(&self.management.settings().robot_prefix)
    }

    async fn forget_robot(&self, id: RobotId) {
        self.management.parts().authority.forget(ActorKind::Robot, id.0).await;
    }
}

fn level_name(level: RobotLevel) -> &'static str {
    match level {
        RobotLevel::System => "system",
        RobotLevel::Project(_) => "project",
    }
}

/// The projects that a robot's page names.
fn projects_of(robot: &Robot) -> impl Iterator<Item = ProjectId> {
    let own = match robot.level {
        RobotLevel::System => None,
        RobotLevel::Project(id) => Some(id),
    };
    let granted = robot.grants.iter().filter_map(|grant| match grant.scope {
        RobotScope::Project(id) => Some(id),
        RobotScope::System | RobotScope::AllProjects => None,
    });
    own.into_iter().chain(granted)
}

fn show_grant(
    grant: &RobotGrant,
    name_of: &dyn Fn(ProjectId) -> Option<ProjectName>,
) -> Option<RobotGrantPage> {
    let (kind, namespace) = match grant.scope {
        RobotScope::System => ("system", "/".to_owned()),
        RobotScope::AllProjects => ("project", "*".to_owned()),
        RobotScope::Project(id) => ("project", name_of(id)?.to_string()),
    };
    Some(RobotGrantPage { kind, namespace, access: grant.access })
}
