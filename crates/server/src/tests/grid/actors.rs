//! Everybody who asks: people with every role, directly and by group, and robots of every kind.

use std::sync::Arc;
use std::time::Duration;

use berth_access::robot_secret;
use berth_access::{Gatekeeper, Secret};
use berth_domain::{
    Action, Actor as Who, GroupType, MemberEntity, Permission, PermissionSet, ProjectId, Resource,
    RobotGrant, RobotLevel, RobotScope, Role, Scope, SystemEntropy, Timestamp, UserId,
};
use berth_metadata::robot::NewRobot;
use berth_metadata::user::{Added, NewUser};
use berth_metadata::{Metadata, Transaction};

use super::operations::Operation;
use super::{PRIVATE, PUBLIC};
use crate::wiring::Parts;

const PASSWORD: &str = "Passw0rd of everyone";

/// Somebody who asks.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) name: String,
    pub(super) authorization: Option<String>,
}

/// Everybody.
pub(super) struct Cast {
    gatekeeper: Gatekeeper,
    projects: [ProjectId; 2],
    /// From nobody at all to the administrator, and robots that must not get far.
    pub(super) people: Vec<Actor>,
    /// A robot of the private project for each permission that there is.
    pub(super) project_robots: Vec<Actor>,
    /// A robot of the installation for each.
    pub(super) system_robots: Vec<Actor>,
}

impl Cast {
    pub(super) async fn assemble(parts: &Parts) -> Self {
        let gatekeeper = parts.gatekeeper.clone();
        let projects = [project(&gatekeeper, PUBLIC, true).await, project(&gatekeeper, PRIVATE, false).await];
        let elsewhere = project(&gatekeeper, "elsewhere", false).await;
        let mut cast = Self {
            gatekeeper,
            projects,
            people: Vec::new(),
            project_robots: Vec::new(),
            system_robots: Vec::new(),
        };
        cast.people.push(Actor { name: "anonymous".into(), authorization: None });
        cast.user("stranger").await;
        for role in Role::harbors() {
            let id = cast.user(&role.name).await;
            cast.join(MemberEntity::User(id), role).await;
            let id = cast.user(&format!("{}-by-group", role.name)).await;
            cast.join_by_group(id, role).await;
        }
        cast.people.push(shown("sysadmin", "admin", "Admin-Passw0rd"));
        cast.robots_that_get_nowhere(elsewhere).await;
        for permission in every(Scope::Project) {
            let scope = RobotScope::Project(projects[1]);
            let actor = cast.robot(RobotLevel::Project(projects[1]), scope, only(permission), false).await;
            cast.project_robots.push(Actor { name: permission.to_string(), ..actor });
        }
        for permission in every(Scope::System) {
            let actor = cast.robot(RobotLevel::System, RobotScope::System, only(permission), false).await;
            cast.system_robots.push(Actor { name: permission.to_string(), ..actor });
        }
        cast
    }

    /// What an operation is about: a robot that is there, for those that are about one.
    pub(super) async fn target(&self, operation: &Operation, project: &str) -> i64 {
        if !operation.of_robot {
            return 0;
        }
        let project = if project == PUBLIC { self.projects[0] } else { self.projects[1] };
        let access = only(Permission { resource: Resource::Repository, action: Action::Pull });
        let grant = RobotGrant { scope: RobotScope::Project(project), access };
        self.add_robot(RobotLevel::Project(project), grant, false, "unknown").await.0
    }

    async fn user(&mut self, name: &str) -> UserId {
        let stored = self.gatekeeper.passwords.hash(Secret::new(PASSWORD)).await.unwrap();
        let user = NewUser {
            username: name.to_lowercase(),
            email: String::new(),
            realname: name.to_owned(),
            comment: String::new(),
            sysadmin: false,
            password: Some(stored.as_str().to_owned()),
        };
        let mut tx = self.begin().await;
        let Added::Added(id) = tx.add_user(&user, self.now()).await.unwrap() else { panic!("{name} exists") };
        tx.commit().await.unwrap();
        self.people.push(shown(name, &user.username, PASSWORD));
        id
    }

    async fn join(&self, entity: MemberEntity, role: &Role) {
        let mut tx = self.begin().await;
        for project in self.projects {
            tx.add_member(project, entity, role.id, self.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn join_by_group(&self, user: UserId, role: &Role) {
        let mut tx = self.begin().await;
        let made = tx.add_group(GroupType::Http, &role.name, "", self.now()).await.unwrap();
        let Added::Added(group) = made else { panic!("{} exists", role.name) };
        tx.set_groups_of(user, &[group]).await.unwrap();
        tx.commit().await.unwrap();
        self.join(MemberEntity::Group(group), role).await;
    }

    async fn robots_that_get_nowhere(&mut self, elsewhere: ProjectId) {
        let all = *Scope::Project.catalogue();
        let [_, closed] = self.projects;
        let disabled = self.robot(RobotLevel::Project(closed), RobotScope::Project(closed), all, true).await;
        self.people.push(Actor { name: "robot-disabled".into(), ..disabled });
        let secret = robot_secret::generate(&SystemEntropy);
        let kept = self.gatekeeper.secret_key.keep(&secret);
        let (level, grant) =
            (RobotLevel::Project(closed), RobotGrant { scope: RobotScope::Project(closed), access: all });
        let long_ago = self.now().minus(Duration::from_hours(48));
        let (_, name) = self.add_robot_at(level, grant, (false, Some(1)), &kept, long_ago).await;
        self.people.push(shown("robot-expired", &format!("robot${PRIVATE}+{name}"), secret.reveal()));
        let wrong =
            self.robot(RobotLevel::Project(elsewhere), RobotScope::Project(elsewhere), all, false).await;
        self.people.push(Actor { name: "robot-of-another-project".into(), ..wrong });
    }

    async fn robot(
        &self,
        level: RobotLevel,
        scope: RobotScope,
        access: PermissionSet,
        disabled: bool,
    ) -> Actor {
        let secret = robot_secret::generate(&SystemEntropy);
        let kept = self.gatekeeper.secret_key.keep(&secret);
        let (_, name) = self.add_robot(level, RobotGrant { scope, access }, disabled, &kept).await;
        let login = match level {
            RobotLevel::System => format!("robot${name}"),
            RobotLevel::Project(id) if id == self.projects[1] => format!("robot${PRIVATE}+{name}"),
            RobotLevel::Project(_) => format!("robot$elsewhere+{name}"),
        };
        shown(&name, &login, secret.reveal())
    }

    async fn add_robot(
        &self,
        level: RobotLevel,
        grant: RobotGrant,
        disabled: bool,
        secret: &str,
    ) -> (i64, String) {
        self.add_robot_at(level, grant, (disabled, None), secret, self.now()).await
    }

    /// Adds one that is switched off or not, lives so many days, and was made at that moment.
    async fn add_robot_at(
        &self,
        level: RobotLevel,
        grant: RobotGrant,
        (disabled, duration): (bool, Option<u32>),
        secret: &str,
        at: Timestamp,
    ) -> (i64, String) {
        let name = format!("r{}", uuid::Uuid::from_bytes(random()).simple());
        let robot = NewRobot {
            name: name.clone(),
            level,
            description: String::new(),
            duration,
            disabled,
            grants: vec![grant],
            secret: secret.to_owned(),
            creator: Who::system(),
        };
        let mut tx = self.begin().await;
        let Added::Added(id) = tx.add_robot(&robot, at).await.unwrap() else { panic!("{name} exists") };
        tx.commit().await.unwrap();
        (id.0, name)
    }

    fn now(&self) -> Timestamp {
        self.gatekeeper.tokens.clock.now()
    }

    async fn begin(&self) -> Box<dyn Transaction> {
        self.metadata().begin().await.unwrap()
    }

    fn metadata(&self) -> &Arc<dyn Metadata> {
        &self.gatekeeper.tokens.metadata
    }
}

/// A project with a repository in it, so that it cannot be deleted.
async fn project(gatekeeper: &Gatekeeper, name: &str, public: bool) -> ProjectId {
    let (name, by, at) = (name.parse().unwrap(), Who::system(), gatekeeper.tokens.clock.now());
    let mut tx = gatekeeper.tokens.metadata.begin().await.unwrap();
    let added = tx.add_project(&name, public, UserId::ADMIN, None, &by, at).await.unwrap();
    let Added::Added(id) = added else { panic!("{name} exists") };
    let project = tx.find_project(&name).await.unwrap().unwrap();
    tx.ensure_repository(&project, &format!("{name}/a").parse().unwrap(), &by, at).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn shown(name: &str, login: &str, secret: &str) -> Actor {
    Actor { name: name.to_owned(), authorization: Some(basic(login, secret)) }
}

/// The header that shows a name and a secret.
fn basic(login: &str, secret: &str) -> String {
    use base64::Engine as _;
    let both = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{secret}"));
    format!("Basic {both}")
}

fn every(scope: Scope) -> Vec<Permission> {
    scope.catalogue().iter().collect()
}

fn only(permission: Permission) -> PermissionSet {
    PermissionSet::on_one(permission.resource, &[permission.action])
}

fn random() -> [u8; 16] {
    use berth_domain::Entropy as _;
    let mut bytes = [0; 16];
    SystemEntropy.fill(&mut bytes);
    bytes
}
