//! Everybody who asks: people with every role, directly and by group, by password, by token and by cookie; robots of every kind, by
//! their secrets and by tokens; and those who lost their rights with a token in the hand.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use berth_access::{Gatekeeper, Secret, robot_secret};
use berth_domain::{
    Action, Actor as Who, ActorKind, Clock as _, Entropy as _, GroupType, MemberEntity, Permission,
    PermissionSet, ProjectId, Resource, RobotGrant, RobotId, RobotLevel, RobotScope, Role, Scope,
    SystemClock, SystemEntropy, Timestamp, UserId,
};
use berth_metadata::robot::{NewRobot, RobotChange};
use berth_metadata::user::{Added, NewUser};
use berth_metadata::{Metadata, Transaction};

use super::actors::{Actor, Wanted, basic};
use super::operations::{Cookies, Operation};
use super::targets::Targets;
use super::{ELSEWHERE, PRIVATE, PUBLIC};
use crate::doors::Doors;
use crate::wiring::Parts;

const PASSWORD: &str = "Passw0rd of everyone";
pub(super) const ADMIN_PASSWORD: &str = "Admin-Passw0rd";
/// What the name of somebody ends with who has their role by a group.
pub(super) const BY_GROUP: &str = "-by-group";
/// What those had tokens for who lost their rights.
const EVERYTHING: &str =
    "registry:catalog:* repository:open/a:pull,push,delete repository:closed/a:pull,push,delete";

/// Everybody.
pub(super) struct Cast {
    pub(super) stage: Stage,
    pub(super) targets: Targets,
    /// From nobody at all to the administrator.
    pub(super) people: Vec<Actor>,
    pub(super) cookies: Vec<Actor>,
    tokens: Vec<Actor>,
    outlived: Vec<Actor>,
    astray: Vec<Actor>,
    open_robots: Vec<Actor>,
    closed_robots: Vec<Actor>,
    on_closed: Vec<Actor>,
    on_all: Vec<Actor>,
    system: Vec<Actor>,
    robot_tokens: [Vec<Actor>; 4],
}

/// Where it all happens.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) gatekeeper: Gatekeeper,
    metadata: Arc<dyn Metadata>,
    pub(super) open: ProjectId,
    pub(super) closed: ProjectId,
    pub(super) elsewhere: ProjectId,
}

/// Those who ask for something in one place.
pub(super) struct Audience<'a> {
    pub(super) kind: &'static str,
    /// The project that they ask about.
    pub(super) project: &'static str,
    pub(super) actors: &'a [Actor],
}

impl Cast {
    pub(super) async fn assemble(parts: &Parts, doors: &Doors) -> Self {
        let stage = Stage::build(parts, doors).await;
        let targets = Targets::make(&stage).await;
        let people = stage.people().await;
        let mut cookies = Vec::new();
        for person in &people {
            cookies.push(person.by_cookie(&stage.gatekeeper).await);
        }
        let mut tokens: Vec<_> = people.iter().map(|person| person.by_token(Wanted::Everything)).collect();
        for (name, wanted) in [("sysadmin[pull]", Wanted::Pull), ("sysadmin[]", Wanted::Nothing)] {
            tokens
                .push(Actor::with(name, "admin", ADMIN_PASSWORD).numbered(UserId::ADMIN.0).by_token(wanted));
        }
        let (of, on) = (RobotLevel::Project, RobotScope::Project);
        let (open, closed) = (stage.open, stage.closed);
        let open_robots = stage.robots(of(open), PUBLIC, on(open), Scope::Project).await;
        let closed_robots = stage.robots(of(closed), PRIVATE, on(closed), Scope::Project).await;
        let on_closed = stage.robots(RobotLevel::System, "", on(closed), Scope::Project).await;
        let on_all = stage.robots(RobotLevel::System, "", RobotScope::AllProjects, Scope::Project).await;
        let system = stage.robots(RobotLevel::System, "", RobotScope::System, Scope::System).await;
        let robot_tokens =
            [&open_robots, &closed_robots, &on_closed, &on_all].map(|robots| by_tokens(robots));
        Self {
            outlived: stage.outlived().await,
            astray: stage.astray().await,
            stage,
            targets,
            people,
            cookies,
            tokens,
            open_robots,
            closed_robots,
            on_closed,
            on_all,
            system,
            robot_tokens,
        }
    }

    /// Who asks for it, and where.
    pub(super) fn audiences(&self, operation: &Operation) -> Vec<Audience<'_>> {
        let [open_tokens, closed_tokens, on_closed_tokens, on_all_tokens] = &self.robot_tokens;
        let everybody: [(&'static str, &[Actor], &[Actor]); 12] = [
            ("people", &self.people, &self.people),
            ("cookie", &self.cookies, &self.cookies),
            ("token", &self.tokens, &self.tokens),
            ("outlived", &self.outlived, &self.outlived),
            ("astray", &self.astray, &self.astray),
            ("robot", &self.open_robots, &self.closed_robots),
            ("robot token", open_tokens, closed_tokens),
            ("on-closed", &self.on_closed, &self.on_closed),
            ("on-closed token", on_closed_tokens, on_closed_tokens),
            ("on-*", &self.on_all, &self.on_all),
            ("on-* token", on_all_tokens, on_all_tokens),
            ("system", &self.system, &self.system),
        ];
        let asking = everybody
            .into_iter()
            .filter(|(kind, ..)| *kind != "cookie" || operation.cookies == Cookies::Taken);
        let audiences = asking.flat_map(|(kind, in_open, in_closed)| {
            let open = Audience { kind, project: PUBLIC, actors: in_open };
            let closed = Audience { kind, project: PRIVATE, actors: in_closed };
            [operation.in_project.then_some(open), Some(closed)]
        });
        audiences.flatten().collect()
    }
}

/// The robots whose rights a registry token can speak of, with tokens.
fn by_tokens(robots: &[Actor]) -> Vec<Actor> {
    let told = |actor: &&Actor| {
        actor.name.starts_with("repository:") || matches!(&*actor.name, "artifact:delete" | "tag:delete")
    };
    robots.iter().filter(told).map(|robot| robot.by_token(Wanted::Everything)).collect()
}

impl Stage {
    async fn build(parts: &Parts, doors: &Doors) -> Self {
        let metadata: Arc<dyn Metadata> = Arc::new(parts.database.clone());
        let open = project(metadata.as_ref(), PUBLIC, true).await;
        let closed = project(metadata.as_ref(), PRIVATE, false).await;
        let elsewhere = project(metadata.as_ref(), ELSEWHERE, false).await;
        for name in [PUBLIC, PRIVATE, ELSEWHERE] {
            push_image(doors, name).await;
        }
        Self { gatekeeper: parts.gatekeeper.clone(), metadata, open, closed, elsewhere }
    }

    async fn people(&self) -> Vec<Actor> {
        let mut people = vec![Actor::anonymous(), self.user("stranger").await];
        for role in Role::harbors() {
            let person = self.user(&role.name).await;
            self.join(MemberEntity::User(UserId(person.id.unwrap())), role).await;
            people.push(person);
            let person = self.user(&format!("{}{BY_GROUP}", role.name)).await;
            self.join_by_group(UserId(person.id.unwrap()), role).await;
            people.push(person);
        }
        people.push(Actor::with("sysadmin", "admin", ADMIN_PASSWORD).numbered(UserId::ADMIN.0));
        people
    }

    async fn user(&self, name: &str) -> Actor {
        let stored = self.gatekeeper.passwords.hash(Secret::new(PASSWORD)).await.unwrap();
        let login = name.to_lowercase();
        let id = self.add_user(&login, Some(stored.as_str().to_owned())).await;
        Actor::with(name, &login, PASSWORD).numbered(id.0)
    }

    pub(super) async fn add_user(&self, username: &str, password: Option<String>) -> UserId {
        let user = NewUser {
            username: username.to_owned(),
            email: String::new(),
            realname: username.to_owned(),
            comment: String::new(),
            sysadmin: false,
            password,
        };
        let mut tx = self.begin().await;
        let added = tx.add_user(&user, now()).await.unwrap();
        let Added::Added(id) = added else { panic!("{username} exists") };
        tx.commit().await.unwrap();
        id
    }

    async fn join(&self, entity: MemberEntity, role: &Role) {
        let mut tx = self.begin().await;
        for project in [self.open, self.closed] {
            tx.add_member(project, entity, role.id, now()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn join_by_group(&self, user: UserId, role: &Role) {
        let mut tx = self.begin().await;
        let made = tx.add_group(GroupType::Http, &role.name, "", now()).await.unwrap();
        let Added::Added(group) = made else { panic!("{} exists", role.name) };
        tx.set_groups_of(user, &[group]).await.unwrap();
        tx.commit().await.unwrap();
        self.join(MemberEntity::Group(group), role).await;
    }

    /// Robots with every right there is, which cannot use it here.
    async fn astray(&self) -> Vec<Actor> {
        let (closed, elsewhere) = (all_on(self.closed), all_on(self.elsewhere));
        let level = RobotLevel::Project(self.closed);
        let disabled = NewRobot { disabled: true, ..robot(level, closed, "") };
        let expired = NewRobot { duration: Some(1), ..robot(level, closed, "") };
        let other = robot(RobotLevel::Project(self.elsewhere), elsewhere, "");
        let system = robot(RobotLevel::System, elsewhere, "");
        let mut astray = Vec::new();
        for (name, robot, project, at) in [
            ("robot-disabled", disabled, PRIVATE, now()),
            ("robot-expired", expired, PRIVATE, long_ago()),
            ("robot-of-another-project", other, ELSEWHERE, now()),
            ("system-robot-on-another-project", system, "", now()),
        ] {
            astray.push(self.robot_at(name, robot, project, at).await.0);
        }
        astray
    }

    /// Those who had every right in the private project and got a token for it, before they lost what they had.
    async fn outlived(&self) -> Vec<Actor> {
        let mut outlived = Vec::new();
        let level = RobotLevel::Project(self.closed);
        for (name, disabled, duration) in
            [("robot-disabled-since", true, None), ("robot-expired-since", false, Some(1))]
        {
            let made = NewRobot { duration: Some(9), ..robot(level, all_on(self.closed), "") };
            let (actor, id) = self.robot_at(name, made.clone(), PRIVATE, long_ago()).await;
            outlived.push(actor.with_token_kept(&self.gatekeeper, EVERYTHING).await);
            let change = RobotChange { description: String::new(), duration, disabled, grants: made.grants };
            let mut tx = self.begin().await;
            assert!(tx.change_robot(RobotId(id), &change, now()).await.unwrap());
            tx.commit().await.unwrap();
            self.gatekeeper.authority.forget(ActorKind::Robot, id).await;
        }
        for name in ["user-deleted-since", "user-with-another-password-since"] {
            let actor = self.user(name).await;
            let id = UserId(actor.id.unwrap());
            self.join(MemberEntity::User(id), &Role::harbors()[0]).await;
            outlived.push(actor.with_token_kept(&self.gatekeeper, EVERYTHING).await);
            let mut tx = self.begin().await;
            let done = match name {
                "user-deleted-since" => tx.delete_user(id, now()).await,
                _ => tx.set_user_password(id, "another", now()).await,
            };
            assert!(done.unwrap());
            tx.commit().await.unwrap();
            self.gatekeeper.authority.forget(ActorKind::User, id.0).await;
        }
        outlived
    }

    /// A robot for each permission of a scope's catalogue.
    async fn robots(
        &self,
        level: RobotLevel,
        project: &str,
        scope: RobotScope,
        catalogue: Scope,
    ) -> Vec<Actor> {
        let mut robots = Vec::new();
        for permission in catalogue.catalogue().iter() {
            let robot = robot(level, RobotGrant { scope, access: only(permission) }, "");
            robots.push(self.robot_at(&permission.to_string(), robot, project, now()).await.0);
        }
        robots
    }

    async fn robot_at(&self, name: &str, robot: NewRobot, project: &str, at: Timestamp) -> (Actor, i64) {
        let secret = robot_secret::generate(&SystemEntropy);
        let kept = self.gatekeeper.secret_key.keep(&secret);
        let own = robot.name.clone();
        let id = self.add_robot(&NewRobot { secret: kept, ..robot }, at).await;
        let login =
            if project.is_empty() { format!("robot${own}") } else { format!("robot${project}+{own}") };
        (Actor::with(name, &login, secret.reveal()), id)
    }

    /// A robot of no use, to act on.
    pub(super) async fn robot_to_act_on(&self, level: RobotLevel) -> i64 {
        let access = only(Permission { resource: Resource::Repository, action: Action::Pull });
        let project = if let RobotLevel::Project(project) = level { project } else { self.closed };
        let grant = RobotGrant { scope: RobotScope::Project(project), access };
        self.add_robot(&robot(level, grant, "unknown"), now()).await
    }

    async fn add_robot(&self, robot: &NewRobot, at: Timestamp) -> i64 {
        let mut tx = self.begin().await;
        let added = tx.add_robot(robot, at).await.unwrap();
        let Added::Added(id) = added else { panic!("{} exists", robot.name) };
        tx.commit().await.unwrap();
        id.0
    }

    pub(super) async fn begin(&self) -> Box<dyn Transaction> {
        self.metadata.begin().await.unwrap()
    }
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

fn long_ago() -> Timestamp {
    now().minus(Duration::from_hours(48))
}

/// A robot of a name that was never used.
fn robot(level: RobotLevel, grant: RobotGrant, secret: &str) -> NewRobot {
    NewRobot {
        name: format!("r{}", SystemEntropy.uuid().simple()),
        level,
        description: String::new(),
        duration: None,
        disabled: false,
        grants: vec![grant],
        secret: secret.to_owned(),
        creator: Who::system(),
    }
}

async fn project(metadata: &dyn Metadata, name: &str, public: bool) -> ProjectId {
    let (name, by) = (name.parse().unwrap(), Who::system());
    let mut tx = metadata.begin().await.unwrap();
    let added = tx.add_project(&name, public, UserId::ADMIN, None, &by, now()).await.unwrap();
    let Added::Added(id) = added else { panic!("{name} exists") };
    tx.commit().await.unwrap();
    id
}

/// Pushes an image of nothing, so that the project can be listed and cannot be deleted.
async fn push_image(doors: &Doors, project: &str) {
    const CONFIG: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{KIND}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{CONFIG}","size":2}},"layers":[]}}"#
    );
    for (method, path, body) in [
        ("POST", format!("blobs/uploads/?digest={CONFIG}"), "{}".to_owned()),
        ("PUT", "manifests/1".to_owned(), manifest),
    ] {
        let request = Request::builder().method(method).uri(format!("/v2/{project}/a/{path}"));
        let request =
            request.header(AUTHORIZATION, basic("admin", ADMIN_PASSWORD)).header(CONTENT_TYPE, KIND);
        let answer = doors.distribution.answer(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status(), 201);
    }
}

fn all_on(project: ProjectId) -> RobotGrant {
    RobotGrant { scope: RobotScope::Project(project), access: *Scope::Project.catalogue() }
}

fn only(permission: Permission) -> PermissionSet {
    PermissionSet::on_one(permission.resource, &[permission.action])
}
