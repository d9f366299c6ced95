//! A closed house: a server on which nothing appears by a push, with a closed project, a developer in it, and robots.

use std::time::Duration;

use berth_testkit::{BerthServer, Program, Request, Response, Scratch};
use serde_json::{Value, json};

/// Alice's password.
pub(crate) const PASSWORD: &str = "Alice-Passw0rd";
/// Changes take effect within five seconds; this machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server on which nothing appears by a push, with a closed project and a developer in it.
pub(crate) struct House {
    pub(crate) server: BerthServer,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::over(BerthServer::setup().set("projects.create_on_push", "false").start())
    }

    /// The same on a server that runs.
    pub(crate) fn over(server: BerthServer) -> Self {
        let house = Self { server };
        house.make("projects", &json!({ "project_name": "team", "metadata": { "public": "false" } }));
        let alice = json!({ "username": "alice", "email": "alice@example.org", "realname": "Alice", "password": PASSWORD });
        house.make("users", &alice);
        let developer = json!({ "role_id": 2, "member_user": { "username": "alice" } });
        house.make("projects/team/members", &developer);
        house
    }

    pub(crate) fn rest(&self, method: &str, path: &str, body: &Value) -> Response {
        let request =
            Request::new(method, format!("/api/v2.0/{path}")).header("Content-Type", "application/json");
        self.server.ask(&request.body(body.to_string()))
    }

    pub(crate) fn make(&self, what: &str, body: &Value) -> Response {
        self.rest("POST", what, body).expect(201)
    }

    /// A robot of the project that may do these things with its repositories: its number, name and secret.
    pub(crate) fn robot(&self, name: &str, actions: &[&str]) -> (i64, String, String) {
        self.robot_of("project", name, actions)
    }

    /// The same on a level of Harbor's: `project` or `system`.
    pub(crate) fn robot_of(&self, level: &str, name: &str, actions: &[&str]) -> (i64, String, String) {
        let access: Vec<_> =
            actions.iter().map(|action| json!({ "resource": "repository", "action": action })).collect();
        let permissions = json!([{ "kind": "project", "namespace": "team", "access": access }]);
        let body = json!({ "name": name, "level": level, "duration": -1, "permissions": permissions });
        let made = self.make("robots", &body).json();
        let text = |field: &str| made[field].as_str().expect(field).to_owned();
        (made["id"].as_i64().expect("a number"), text("name"), text("secret"))
    }

    pub(crate) fn image(&self, name: &str) -> String {
        self.server.image(name)
    }

    /// The status of a pull as somebody.
    pub(crate) fn pull_as(&self, login: &str, secret: &str) -> u16 {
        let request = Request::get("/v2/team/app/manifests/1").header("Accept", "*/*");
        self.server.ask(&request.login(login, secret)).status
    }

    /// The status of a deletion as somebody, with a token as clients do it.
    pub(crate) fn delete_as(&self, repository: &str, reference: &str, login: &str, secret: &str) -> u16 {
        let path = format!("/service/token?service=harbor-registry&scope=repository:{repository}:delete");
        let token = self.server.ask(&Request::get(path).login(login, secret)).expect(200).json();
        let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
        let request = Request::new("DELETE", format!("/v2/{repository}/manifests/{reference}"));
        self.server.ask(&request.header("Authorization", &token)).status
    }
}

/// A client that keeps everything in one folder, and knows nobody's secrets but those that lie there.
pub(crate) fn at_home(program: Program, folder: &Scratch) -> Program {
    let file = folder.join("config.json");
    let program = program.env("HOME", folder.path()).env("DOCKER_CONFIG", folder.path());
    let program = program.env("REGISTRY_AUTH_FILE", &file).env("HELM_REGISTRY_CONFIG", &file);
    let program = program.env("REGCTL_CONFIG", folder.join("regctl.json")).env("COSIGN_PASSWORD", "");
    program.folder(folder.path())
}

/// Whether a client printed one of these.
pub(crate) fn said(finished: &berth_testkit::Finished, words: &[&str]) -> bool {
    let all = format!("{}\n{}", finished.text(), finished.complaints()).to_lowercase();
    words.iter().any(|word| all.contains(&word.to_lowercase()))
}
