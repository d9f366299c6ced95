//! What Harbor's API and the token service are asked for by who prepares a line.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::contestant::Running;

/// The password of every user that the bench makes.
pub(crate) const PASSWORD: &str = "Benchmark-1";

/// The header line of who shows a name and a secret.
pub(crate) fn basic(login: &str, secret: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{login}:{secret}")))
}

/// Makes a private project.
pub(crate) fn make_project(running: &Running, project: &str) -> anyhow::Result<()> {
    let body = json!({ "project_name": project, "metadata": { "public": "false" } });
    make(running, "projects", &body).map(drop)
}

/// Makes a user.
pub(crate) fn make_user(running: &Running, user: &str) -> anyhow::Result<()> {
    let body = json!({
        "username": user, "email": format!("{user}@example.org"), "realname": user, "password": PASSWORD,
    });
    make(running, "users", &body).map(drop)
}

/// Makes a robot that may pull from the project; the header line that it shows.
pub(crate) fn make_robot(running: &Running, project: &str, robot: &str) -> anyhow::Result<String> {
    let pull = json!([{ "resource": "repository", "action": "pull" }]);
    let permission = json!({ "kind": "project", "namespace": project, "access": pull });
    let body = json!({ "name": robot, "level": "project", "duration": -1, "permissions": [permission] });
    let made = make(running, "robots", &body)?;
    let text = |key: &str| made[key].as_str().with_context(|| format!("the robot has no {key}"));
    Ok(basic(text("name")?, text("secret")?))
}

/// The target of a token to pull from the repository with.
pub(crate) fn token_target(repository: &str) -> String {
    format!("/service/token?service=harbor-registry&scope=repository:{repository}:pull")
}

/// A token to pull from the repository with.
pub(crate) fn token(running: &Running, repository: &str) -> anyhow::Result<String> {
    let (head, body) = running.endpoint().log_in()?.exchange("GET", &token_target(repository), "", &[])?;
    head.expect(200, "GET of a token")?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["token"].as_str().context("the answer holds no token")?.to_owned())
}

fn make(running: &Running, noun: &str, body: &Value) -> anyhow::Result<Value> {
    let headers = "Content-Type: application/json\r\n";
    let mut connection = running.endpoint().log_in()?;
    let target = format!("/api/v2.0/{noun}");
    let (head, answer) = connection.exchange("POST", &target, headers, body.to_string().as_bytes())?;
    head.expect(201, &format!("POST of {noun}"))?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}
