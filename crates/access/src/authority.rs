//! What a caller may do now: the rows behind every question about rights, believed for five seconds.
//!
//! **Invariant: warm questions touch no SQL.** Users, robots and projects are remembered apart, so that a change of one concerns
//! little else, and a robot that works in a thousand projects is read once. Changes are told to the cache, and heard from it.

use std::sync::Arc;

use berth_cache::{Cache, Key};
use berth_domain::{
    Action, Actor, ActorKind, Clock, PermissionSet, Project, ProjectId, Resource, RobotGrant, RobotId,
    RobotScope, RoleId, Timestamp, UserId, robot,
};
use berth_metadata::project_page::Visibility;
use berth_metadata::standing::{RobotStanding, UserStanding};
use berth_metadata::{CatalogScope, Error, Metadata};
use berth_oci::ProjectName;

use crate::believed::{Around, Believed, Bridge};
use crate::permissions::{Place, Roles, Standing, Subject, SystemRules, effective};
use crate::target::Target;
use crate::{Caller, Means, Outage, changes};

/// What the authority is to know from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthoritySettings {
    /// What everyone with an account may do outside of projects.
    pub rules: SystemRules,
    /// Whether a push makes the project that it names, for those who may make projects.
    pub create_on_push: bool,
    /// How many subjects, and how many projects, are remembered.
    pub remembered: usize,
}

impl Default for AuthoritySettings {
    fn default() -> Self {
        Self {
            rules: SystemRules { users_create_projects: true },
            create_on_push: false,
            remembered: 32 * 1024,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The account is gone, switched off or over, or its credentials were changed since these were issued.
    #[error("these credentials are no longer valid: log in again")]
    Revoked,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Knows what everyone may do.
#[derive(Debug)]
pub struct Authority {
    settings: AuthoritySettings,
    metadata: Arc<dyn Metadata>,
    around: Around,
    users: Believed<(UserId, Option<ProjectName>), Option<Arc<UserStanding>>>,
    robots: Believed<RobotId, Option<Arc<RobotStanding>>>,
    projects: Believed<ProjectName, Option<(ProjectId, bool)>>,
    roles: Believed<(), Arc<Roles>>,
}

/// A subject as its rows describe it, before the place is known.
enum Rows {
    Nobody,
    Itself,
    User(Arc<UserStanding>),
    Robot(Arc<RobotStanding>),
}

impl Authority {
    /// Answers from `metadata`; `cache` brings the changes.
    #[must_use]
    pub fn new(
        metadata: Arc<dyn Metadata>,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        settings: AuthoritySettings,
    ) -> Self {
        let around = Around { clock, cache, outage: Outage::default() };
        let most = settings.remembered;
        Self {
            settings,
            users: users(most, &around, &metadata),
            robots: robots(most, &around, &metadata),
            projects: projects(most, &around, &metadata),
            roles: roles(&around, &metadata),
            metadata,
            around,
        }
    }

    /// When the database last did not answer.
    #[must_use]
    pub fn outage(&self) -> &Outage {
        &self.around.outage
    }

    /// What decides how long something about accounts is believed.
    pub(crate) fn around(&self) -> &Around {
        &self.around
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &AuthoritySettings {
        &self.settings
    }

    /// What the caller may do there now, whatever their token says.
    pub async fn permissions(
        &self,
        caller: &Caller,
        target: Target<'_>,
    ) -> Result<PermissionSet, AuthorityError> {
        self.look_up(caller, target, Bridge::No).await
    }

    /// What the caller may do there now within what their token says, and without that limit.
    pub(crate) async fn question(
        &self,
        caller: &Caller,
        target: Target<'_>,
        resource: Resource,
        action: Action,
    ) -> Result<(PermissionSet, PermissionSet), AuthorityError> {
        let pull = resource == Resource::Repository && matches!(action, Action::Pull | Action::Read);
        let in_repository = matches!(target, Target::Repository(_) | Target::Project(_));
        let bridge = if pull && in_repository { Bridge::Pull } else { Bridge::No };
        let now = self.look_up(caller, target, bridge).await?;
        Ok((target.by_means(caller, now), now))
    }

    /// Whether the caller's credentials still count.
    pub async fn honours(&self, caller: &Caller) -> Result<(), AuthorityError> {
        self.rows(&caller.actor, caller.issued_at, None, Bridge::No).await.map(drop)
    }

    /// The same, for what was issued to an account; a pull with it may go on while the database cannot be reached.
    pub(crate) async fn honours_for_pull(
        &self,
        actor: &Actor,
        issued_at: Timestamp,
    ) -> Result<(), AuthorityError> {
        self.rows(actor, issued_at, None, Bridge::Pull).await.map(drop)
    }

    /// When the caller's account ends, as far as that is known without asking the database: credentials say it, and what the rights
    /// behind a token were found out from.
    #[must_use]
    pub fn known_end(&self, caller: &Caller) -> Option<Timestamp> {
        let found_out = || self.robots.known(&RobotId(caller.actor.id)).flatten()?.expires_at;
        caller.ends_at.or_else(|| if caller.actor.kind == ActorKind::Robot { found_out() } else { None })
    }

    /// The repositories that a list may show to the caller. Who may read the catalog as such sees all of it.
    pub async fn visible(&self, caller: &Caller) -> Result<CatalogScope, AuthorityError> {
        let now = self.look_up(caller, Target::System, Bridge::No).await?;
        if Target::System.by_means(caller, now).contains(Resource::Catalog, Action::Read) {
            return Ok(CatalogScope::All);
        }
        let projects = match self.rows(&caller.actor, caller.issued_at, None, Bridge::No).await? {
            Rows::Nobody => Vec::new(),
            Rows::Itself => return Ok(CatalogScope::All),
            Rows::User(_) => self.listed_by_role(UserId(caller.actor.id)).await?,
            Rows::Robot(robot) => match listed_by_grant(&robot) {
                Some(projects) => projects,
                None => return Ok(CatalogScope::All),
            },
        };
        Ok(CatalogScope::PublicAnd(projects))
    }

    /// The projects that a list may show to the caller: public ones and those in which they may do anything. A registry token
    /// speaks of no project as such.
    pub async fn visible_projects(&self, caller: &Caller) -> Result<Visibility, AuthorityError> {
        let rows = self.rows(&caller.actor, caller.issued_at, None, Bridge::No).await?;
        if matches!(caller.means, Means::Bearer(_)) {
            return Ok(Visibility::Public);
        }
        Ok(match rows {
            Rows::Nobody => Visibility::Public,
            Rows::Itself => Visibility::All,
            Rows::User(user) if user.sysadmin => Visibility::All,
            Rows::User(_) => Visibility::User(UserId(caller.actor.id)),
            Rows::Robot(robot) => reach(&robot),
        })
    }

    /// Tells everybody that a subject was changed: its rights, its credentials, its groups. Called between the commit and the answer.
    pub async fn forget(&self, kind: ActorKind, id: i64) {
        self.around.tell(changes::subject(kind, id)).await;
    }

    /// The same for a project that was made, changed or deleted, or whose members were.
    pub async fn forget_project(&self, name: &ProjectName) {
        self.around.tell(changes::project(name)).await;
    }

    /// The same for a group that is gone: whose roles came from it is not known.
    pub async fn forget_groups(&self) {
        self.around.tell(changes::groups()).await;
    }

    async fn look_up(
        &self,
        caller: &Caller,
        target: Target<'_>,
        bridge: Bridge,
    ) -> Result<PermissionSet, AuthorityError> {
        let project = target.project();
        let rows = self.rows(&caller.actor, caller.issued_at, project.as_ref(), bridge).await?;
        let known = match &project {
            Some(name) => Some(self.projects.get(name, bridge).await?),
            None => None,
        };
        let roles = self.roles.get(&(), bridge).await?;
        let Some(subject) = rows.subject() else { return Ok(PermissionSet::ALL) };
        let place = match known {
            None => Place::System,
            Some(Some((id, public))) => Place::Project { id, public },
            Some(None) => return Ok(self.where_nothing_is(subject, &roles)),
        };
        Ok(effective(subject, place, &roles, self.settings.rules))
    }

    /// What a subject may do in a project that does not exist: whoever could make it by a push may try, and whoever may do
    /// something in all projects may learn that this one is not there.
    fn where_nothing_is(&self, subject: Subject<'_>, roles: &Roles) -> PermissionSet {
        let system = effective(subject, Place::System, roles, self.settings.rules);
        let makes = self.settings.create_on_push && system.contains(Resource::Project, Action::Create);
        match subject {
            Subject::User { sysadmin: true, .. } => PermissionSet::ALL,
            Subject::User { .. } if makes => *roles.permissions(RoleId::PROJECT_ADMIN),
            // It gets no role in what it makes, and goes on there with what it has everywhere.
            Subject::Robot { level, grants } => robot::permitted(level, grants, RobotScope::AllProjects),
            Subject::User { .. } | Subject::Anonymous => PermissionSet::EMPTY,
        }
    }

    /// The subject's rows, if what was issued to it at that moment still counts.
    async fn rows(
        &self,
        actor: &Actor,
        issued_at: Timestamp,
        project: Option<&ProjectName>,
        bridge: Bridge,
    ) -> Result<Rows, AuthorityError> {
        let (standing, rows) = match actor.kind {
            ActorKind::Anonymous => (Standing::ALWAYS, Rows::Nobody),
            ActorKind::System => (Standing::ALWAYS, Rows::Itself),
            ActorKind::User => {
                let key = (UserId(actor.id), project.cloned());
                let user = self.users.get(&key, bridge).await?.ok_or(AuthorityError::Revoked)?;
                (Standing { active: true, valid_after: user.valid_after }, Rows::User(user))
            }
            ActorKind::Robot => {
                let robot = self.robots.get(&RobotId(actor.id), bridge).await?;
                let robot = robot.ok_or(AuthorityError::Revoked)?;
                let over = robot.expires_at.is_some_and(|end| end <= self.around.clock.now());
                let active = !robot.disabled && !over;
                (Standing { active, valid_after: robot.valid_after }, Rows::Robot(robot))
            }
        };
        if standing.honours(issued_at) { Ok(rows) } else { Err(AuthorityError::Revoked) }
    }

    /// The projects whose repositories a user's roles let them list.
    async fn listed_by_role(&self, user: UserId) -> Result<Vec<ProjectId>, Error> {
        let roles = self.roles.get(&(), Bridge::No).await?;
        let memberships = self.metadata.projects_of(user).await?;
        let lists = |role| roles.permissions(role).contains(Resource::Repository, Action::List);
        Ok(memberships.into_iter().filter(|(_, role)| lists(*role)).map(|(project, _)| project).collect())
    }
}

/// Users, in a project or outside of all. A user who is given a role in it, by name or by a group, is another one there.
fn users(
    most: usize,
    around: &Around,
    metadata: &Arc<dyn Metadata>,
) -> Believed<(UserId, Option<ProjectName>), Option<Arc<UserStanding>>> {
    let metadata = Arc::clone(metadata);
    let made_of = |(user, project): &(UserId, Option<ProjectName>)| {
        let own = changes::subject(ActorKind::User, user.0);
        let in_project = project.iter().flat_map(|name| [changes::project(name), changes::groups()]);
        [own].into_iter().chain(in_project).collect()
    };
    Believed::new(most, around.clone(), made_of, move |(user, project)| {
        let metadata = Arc::clone(&metadata);
        Box::pin(async move { Ok(metadata.user_standing(user, project.as_ref()).await?.map(Arc::new)) })
    })
}

fn robots(
    most: usize,
    around: &Around,
    metadata: &Arc<dyn Metadata>,
) -> Believed<RobotId, Option<Arc<RobotStanding>>> {
    let metadata = Arc::clone(metadata);
    let made_of = |robot: &RobotId| vec![changes::subject(ActorKind::Robot, robot.0)];
    Believed::new(most, around.clone(), made_of, move |robot| {
        let metadata = Arc::clone(&metadata);
        Box::pin(async move { Ok(metadata.robot_standing(robot).await?.map(Arc::new)) })
    })
}

fn projects(
    most: usize,
    around: &Around,
    metadata: &Arc<dyn Metadata>,
) -> Believed<ProjectName, Option<(ProjectId, bool)>> {
    let metadata = Arc::clone(metadata);
    let made_of = |name: &ProjectName| vec![changes::project(name)];
    Believed::new(most, around.clone(), made_of, move |name| {
        let metadata = Arc::clone(&metadata);
        Box::pin(
            async move { Ok(metadata.project(&name).await?.map(|Project { id, public, .. }| (id, public))) },
        )
    })
}

/// Nothing in Berth changes roles while it runs: they are only read again as they age.
fn roles(around: &Around, metadata: &Arc<dyn Metadata>) -> Believed<(), Arc<Roles>> {
    let metadata = Arc::clone(metadata);
    let made_of = |(): &()| Vec::<Key>::new();
    Believed::new(1, around.clone(), made_of, move |()| {
        let metadata = Arc::clone(&metadata);
        Box::pin(async move { Ok(Arc::new(Roles::new(metadata.roles().await?))) })
    })
}

impl Rows {
    /// The subject; `None` is Berth itself.
    fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self::Itself => None,
            Self::Nobody => Some(Subject::Anonymous),
            Self::User(user) => Some(Subject::User { sysadmin: user.sysadmin, roles: &user.roles }),
            Self::Robot(robot) => Some(Subject::Robot { level: robot.level, grants: &robot.grants }),
        }
    }
}

/// The projects in which a robot may do anything, or all of them if it may list projects outside of them.
fn reach(robot: &RobotStanding) -> Visibility {
    let outside = robot::permitted(robot.level, &robot.grants, RobotScope::System);
    let lists = outside.contains(Resource::Project, Action::List);
    let mut projects = Vec::new();
    for grant in &robot.grants {
        match grant.scope {
            RobotScope::AllProjects => return Visibility::All,
            RobotScope::Project(project) => projects.push(project),
            RobotScope::System => {}
        }
    }
    if lists { Visibility::All } else { Visibility::Projects(projects) }
}

/// The projects whose repositories a robot may list or pull from; `None` is all of them.
fn listed_by_grant(robot: &RobotStanding) -> Option<Vec<ProjectId>> {
    let shows = |grant: &&RobotGrant| {
        let may = grant.permits(robot.level);
        [Action::List, Action::Pull].iter().any(|&action| may.contains(Resource::Repository, action))
    };
    let mut projects = Vec::new();
    for grant in robot.grants.iter().filter(shows) {
        match grant.scope {
            RobotScope::AllProjects => return None,
            RobotScope::Project(project) => projects.push(project),
            RobotScope::System => {}
        }
    }
    Some(projects)
}
