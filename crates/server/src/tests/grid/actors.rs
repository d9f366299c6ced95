//! Everybody who asks: people with every role, directly and by group, the same people with tokens, and robots of every kind.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use berth_access::authenticator::{Credentials, Purpose};
use berth_access::scope::parse_scopes;
use berth_access::{Caller, Gatekeeper, Secret, robot_secret};
use berth_domain::{
    Action, Actor as Who, GroupType, MemberEntity, Permission, PermissionSet, ProjectId, Resource,
    RobotGrant, RobotLevel, RobotScope, Role, Scope, SystemEntropy, Timestamp, UserId,
};
use berth_metadata::robot::NewRobot;
use berth_metadata::user::{Added, NewUser};
use berth_metadata::{Metadata, Transaction};

use super::operations::{Operation, Place};
use super::{ELSEWHERE, PRIVATE, PUBLIC};
use crate::doors::Doors;
use crate::wiring::Parts;

const PASSWORD: &str = "Passw0rd of everyone";
const ADMIN: (&str, &str) = ("admin", "Admin-Passw0rd");
/// What the name of somebody ends with who has their role by a group.
pub(super) const BY_GROUP: &str = "-by-group";

/// Somebody who asks.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) name: String,
    /// The name and the secret.
    login: Option<(String, String)>,
    means: Means,
}

/// How they show who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Basic,
    /// With a token for what they ask, of that at most this.
    Token(Wanted),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Everything,
    Pull,
    Nothing,
}

/// What a request shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) authorization: Option<String>,
    /// At the end of the body.
    pub(super) form: String,
}

/// Everybody.
pub(super) struct Cast {
    gatekeeper: Gatekeeper,
    open: ProjectId,
    closed: ProjectId,
    /// Robots that are asked about, in the public and in the private project.
    targets: [i64; 2],
    /// From nobody at all to the administrator, and robots that must not get far.
    people: Vec<Actor>,
    tokens: Vec<Actor>,
    open_robots: Vec<Actor>,
    closed_robots: Vec<Actor>,
    on_closed: Vec<Actor>,
    on_all: Vec<Actor>,
    system: Vec<Actor>,
}

impl Cast {
    pub(super) async fn assemble(parts: &Parts, doors: &Doors) -> Self {
        let gatekeeper = parts.gatekeeper.clone();
        let open = project(&gatekeeper, PUBLIC, true).await;
        let closed = project(&gatekeeper, PRIVATE, false).await;
        let elsewhere = project(&gatekeeper, ELSEWHERE, false).await;
        for name in [PUBLIC, PRIVATE, ELSEWHERE] {
            push_image(doors, name).await;
        }
        let none = Vec::new;
        let mut cast = Self {
            gatekeeper,
            open,
            closed,
            targets: [0; 2],
            people: none(),
            tokens: none(),
            open_robots: none(),
            closed_robots: none(),
            on_closed: none(),
            on_all: none(),
            system: none(),
        };
        cast.targets = [cast.robot_to_act_on(open).await, cast.robot_to_act_on(closed).await];
        cast.people.push(Actor { name: "anonymous".into(), login: None, means: Means::Basic });
        cast.user("stranger").await;
        for role in Role::harbors() {
            let id = cast.user(&role.name).await;
            cast.join(MemberEntity::User(id), role).await;
            let id = cast.user(&format!("{}{BY_GROUP}", role.name)).await;
            cast.join_by_group(id, role).await;
        }
        cast.people.push(shown("sysadmin", ADMIN.0, ADMIN.1));
        cast.tokens = with_tokens(&cast.people);
        cast.robots_that_get_nowhere(elsewhere).await;
        let (of, on) = (RobotLevel::Project, RobotScope::Project);
        cast.open_robots = cast.robots(of(open), PUBLIC, on(open), Scope::Project).await;
        cast.closed_robots = cast.robots(of(closed), PRIVATE, on(closed), Scope::Project).await;
        cast.on_closed = cast.robots(RobotLevel::System, "", on(closed), Scope::Project).await;
        cast.on_all = cast.robots(RobotLevel::System, "", RobotScope::AllProjects, Scope::Project).await;
        cast.system = cast.robots(RobotLevel::System, "", RobotScope::System, Scope::System).await;
        cast
    }

    /// Who asks for it, and where.
    pub(super) fn audiences(&self, operation: &Operation) -> Vec<(&'static str, &'static str, &[Actor])> {
        let robots: [(_, _, &[Actor]); 4] = [
            (if operation.in_project { "closed robot" } else { "robot" }, PRIVATE, &self.closed_robots),
            ("on closed", PRIVATE, &self.on_closed),
            ("on *", PRIVATE, &self.on_all),
            ("system", PRIVATE, &self.system),
        ];
        let mut all: Vec<(_, _, &[Actor])> = if operation.in_project {
            vec![
                ("open", PUBLIC, &self.people),
                ("open token", PUBLIC, &self.tokens),
                ("open robot", PUBLIC, &self.open_robots),
                ("closed", PRIVATE, &self.people),
                ("closed token", PRIVATE, &self.tokens),
            ]
        } else {
            vec![("people", PRIVATE, &self.people), ("token", PRIVATE, &self.tokens)]
        };
        all.extend(robots);
        all
    }

    pub(super) fn id_of(&self, project: &str) -> i64 {
        if project == PUBLIC { self.open.0 } else { self.closed.0 }
    }

    /// What an operation is about: a robot that is there, for those that are about one. What takes robots away gets one of its own.
    pub(super) async fn target(&self, operation: &Operation, project: &str) -> i64 {
        match (operation.of_robot, operation.method) {
            (false, _) => 0,
            (true, "DELETE") => self.robot_to_act_on(ProjectId(self.id_of(project))).await,
            (true, _) if project == PUBLIC => self.targets[0],
            (true, _) => self.targets[1],
        }
    }

    async fn robot_to_act_on(&self, project: ProjectId) -> i64 {
        let access = only(Permission { resource: Resource::Repository, action: Action::Pull });
        let grant = RobotGrant { scope: RobotScope::Project(project), access };
        self.add_robot(&robot(RobotLevel::Project(project), grant, "unknown"), self.now()).await.0
    }

    /// What somebody shows when they ask for it.
    pub(super) async fn show(&self, actor: &Actor, operation: &Operation, place: &Place<'_>) -> Shown {
        if operation.log_in_by_form && actor.means == Means::Basic {
            let (login, secret) = actor.login.clone().unwrap_or_default();
            let escaped = |text: String| text.replace('+', "%2B").replace('$', "%24").replace(' ', "+");
            let form = format!("&username={}&password={}", escaped(login), escaped(secret));
            return Shown { authorization: None, form };
        }
        let authorization = match (actor.means, &actor.login) {
            (Means::Basic, None) => None,
            (Means::Basic, Some((login, secret))) => Some(basic(login, secret)),
            (Means::Token(wanted), login) => Some(self.token(login.as_ref(), wanted, operation, place).await),
        };
        Shown { authorization, form: String::new() }
    }

    async fn token(
        &self,
        login: Option<&(String, String)>,
        wanted: Wanted,
        operation: &Operation,
        place: &Place<'_>,
    ) -> String {
        let asked = parse_scopes([operation.scopes(place).as_str()]).unwrap();
        let asked =
            asked.into_iter().filter(|scope| wanted == Wanted::Everything || scope.kind != "registry");
        let asked = asked.map(|mut scope| {
            scope.actions.retain(|action| wanted == Wanted::Everything || action == "pull");
            scope
        });
        let asked: Vec<_> = asked.filter(|_| wanted != Wanted::Nothing).collect();
        let caller = match login {
            None => Caller::anonymous(None, String::new()),
            Some((login, secret)) => {
                let (purpose, secret) = (Purpose::Registry, &Secret::new(secret));
                let shown = Credentials { login, secret, purpose, address: None, request_id: "" };
                self.gatekeeper.authenticator.basic(&shown).await.unwrap()
            }
        };
        let granted = self.gatekeeper.tokens.issue(&caller, &asked).await.unwrap();
        format!("Bearer {}", granted.token.token.reveal())
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
        for project in [self.open, self.closed] {
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
        let on = |project| RobotGrant { scope: RobotScope::Project(project), access: all };
        let long_ago = self.now().minus(Duration::from_hours(48));
        let (closed, now) = (RobotLevel::Project(self.closed), self.now());
        let disabled = NewRobot { disabled: true, ..robot(closed, on(self.closed), "") };
        let expired = NewRobot { duration: Some(1), ..robot(closed, on(self.closed), "") };
        let other = robot(RobotLevel::Project(elsewhere), on(elsewhere), "");
        let system = robot(RobotLevel::System, on(elsewhere), "");
        for (name, robot, project, at) in [
            ("robot-disabled", disabled, PRIVATE, now),
            ("robot-expired", expired, PRIVATE, long_ago),
            ("robot-of-another-project", other, ELSEWHERE, now),
            ("system-robot-on-another-project", system, "", now),
        ] {
            let actor = self.robot_at(name, robot, project, at).await;
            self.people.push(actor);
        }
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
            robots.push(self.robot_at(&permission.to_string(), robot, project, self.now()).await);
        }
        robots
    }

    async fn robot_at(&self, name: &str, robot: NewRobot, project: &str, at: Timestamp) -> Actor {
        let secret = robot_secret::generate(&SystemEntropy);
        let kept = self.gatekeeper.secret_key.keep(&secret);
        let (_, own) = self.add_robot(&NewRobot { secret: kept, ..robot }, at).await;
        let login =
            if project.is_empty() { format!("robot${own}") } else { format!("robot${project}+{own}") };
        shown(name, &login, secret.reveal())
    }

    async fn add_robot(&self, robot: &NewRobot, at: Timestamp) -> (i64, String) {
        let mut tx = self.begin().await;
        let added = tx.add_robot(robot, at).await.unwrap();
        let Added::Added(id) = added else { panic!("{} exists", robot.name) };
        tx.commit().await.unwrap();
        (id.0, robot.name.clone())
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

/// Those of the people who have no group in their name, with tokens; the administrator also with tokens for less.
fn with_tokens(people: &[Actor]) -> Vec<Actor> {
    let people = people.iter().filter(|actor| !actor.name.ends_with(BY_GROUP));
    let token = |wanted| move |actor: &Actor| Actor { means: Means::Token(wanted), ..actor.clone() };
    let mut tokens: Vec<_> = people.map(token(Wanted::Everything)).collect();
    for (name, wanted) in [("sysadmin[pull]", Wanted::Pull), ("sysadmin[]", Wanted::Nothing)] {
        tokens.push(Actor { means: Means::Token(wanted), ..shown(name, ADMIN.0, ADMIN.1) });
    }
    tokens
}

/// A robot of a name that was never used.
fn robot(level: RobotLevel, grant: RobotGrant, secret: &str) -> NewRobot {
    NewRobot {
        name: format!("r{}", uuid::Uuid::from_bytes(random()).simple()),
        level,
        description: String::new(),
        duration: None,
        disabled: false,
        grants: vec![grant],
        secret: secret.to_owned(),
        creator: Who::system(),
    }
}

async fn project(gatekeeper: &Gatekeeper, name: &str, public: bool) -> ProjectId {
    let (name, by, at) = (name.parse().unwrap(), Who::system(), gatekeeper.tokens.clock.now());
    let mut tx = gatekeeper.tokens.metadata.begin().await.unwrap();
    let added = tx.add_project(&name, public, UserId::ADMIN, None, &by, at).await.unwrap();
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
        let request = request.header(AUTHORIZATION, basic(ADMIN.0, ADMIN.1)).header(CONTENT_TYPE, KIND);
        let answer = doors.distribution.answer(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status(), 201);
    }
}

fn shown(name: &str, login: &str, secret: &str) -> Actor {
    let login = Some((login.to_owned(), secret.to_owned()));
    Actor { name: name.to_owned(), login, means: Means::Basic }
}

/// The header that shows a name and a secret.
fn basic(login: &str, secret: &str) -> String {
    use base64::Engine as _;
    let both = base64::engine::general_purpose::STANDARD.encode(format!("{login}:{secret}"));
    format!("Basic {both}")
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
