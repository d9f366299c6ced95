//! Robots: made by people and by robots, and what they are told once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{ADMIN, House, PASSWORD};

const DAY: Duration = Duration::from_hours(24);

/// A project's robot that may pull and push.
fn wanted(project: &str) -> Value {
    json!({
        "name": "ci", "level": "project", "duration": 30, "description": "for CI", "disable": false,
        "permissions": [{"kind": "project", "namespace": project, "access": [
            {"resource": "repository", "action": "pull"}, {"resource": "repository", "action": "push"},
        ]}],
    })
}

#[tokio::test]
async fn one_is_made_used_changed_and_deleted() {
    let house = House::open().await;
    house.project("team", false).await;
    let made = house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201);
    let id = made.made();
    assert_eq!(made.json["name"], "robot$team+ci");
    assert_eq!(made.json["id"], id);
    let secret = made.json["secret"].as_str().expect("told once").to_owned();
    assert_eq!(secret.len(), 32);
    let path = format!("/robots/{id}");
    let robot = house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200);
    assert_eq!(robot.json.get("secret"), None, "never told again");
    for (field, value) in [
        ("name", json!("robot$team+ci")),
        ("level", json!("project")),
        ("duration", json!(30)),
        ("editable", json!(true)),
        ("disable", json!(false)),
        ("permissions", wanted("team")["permissions"].clone()),
        ("expires_at", made.json["expires_at"].clone()),
    ] {
        assert_eq!(robot.json[field], value, "{field}");
    }
    let login = ("robot$team+ci", secret.as_str());
    house.ask("GET /users/current").by(login).await.refused(412, "PRECONDITION");
    let mut changed = robot.json.clone();
    changed["disable"] = json!(true);
    house.ask(&format!("PUT {path}")).by(ADMIN).json(&changed).await.expect(200);
    house.ask("GET /projects").by(login).await.refused(401, "UNAUTHORIZED");
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.expect(200);
    house.ask(&format!("GET {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_secret_is_refreshed_or_chosen() {
    let house = House::open().await;
    house.project("team", false).await;
    let made = house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201);
    let path = format!("PATCH /robots/{}", made.made());
    let name = "robot$team+ci";
    let fresh = house.ask(&path).by(ADMIN).json(&json!({"secret": ""})).await.expect(200);
    let secret = fresh.json["secret"].as_str().expect("told once").to_owned();
    house.ask("GET /projects").by((name, &secret)).await.expect(200);
    let old = made.json["secret"].as_str().expect("told once");
    house.ask("GET /projects").by((name, old)).await.refused(401, "UNAUTHORIZED");
    let chosen = house.ask(&path).by(ADMIN).json(&json!({"secret": "Ch0sen secret"})).await.expect(200);
    assert_ne!(chosen.json["secret"], "Ch0sen secret", "what was chosen is not repeated");
    house.ask("GET /projects").by((name, "Ch0sen secret")).await.expect(200);
    house.ask(&path).by(ADMIN).json(&json!({"secret": "weak"})).await.refused(400, "BAD_REQUEST");
}

#[tokio::test]
async fn robots_that_cannot_be() {
    let house = House::open().await;
    house.project("team", false).await;
    let post = |body: &Value| house.ask("POST /robots").by(ADMIN).json(body);
    let name = "robot name must be 1 to 255 lowercase letters and numbers, joined by single '.', '_' or '-'";
    let unknown = "is not in the project permission catalogue: see GET /api/v2.0/permissions";
    for (pointer, value, words) in [
        ("/name", json!("CI"), name),
        ("/name", json!("a+b"), name),
        ("/name", json!(""), name),
        ("/name", json!("c\u{200b}i"), name),
        ("/name", json!("r".repeat(256)), name),
        ("/level", json!("galaxy"), "level must be system or project"),
        ("/duration", json!(-2), "duration must be -1 (never expires) or 1 to 2147483646 days, not -2"),
        ("/description", json!("d".repeat(1025)), "description must be at most 1024 bytes long"),
        ("/permissions", json!([]), "at least one permission"),
        ("/permissions/0/access", json!([]), "at least one permission"),
        ("/permissions/0/kind", json!("planet"), "the kind of a permission must be system or project"),
        ("/permissions/0/access/0/action", json!("fly"), unknown),
        ("/permissions/0/access/0/resource", json!("moon"), unknown),
        ("/permissions/0/access/0", json!({"resource": "robot", "action": "update"}), unknown),
    ] {
        let mut bad = wanted("team");
        *bad.pointer_mut(pointer).expect("there") = value;
        let refused = post(&bad).await.refused(400, "BAD_REQUEST");
        assert!(refused.words().contains(words), "{}", refused.words());
    }
    let mut longest = wanted("team");
    longest["name"] = json!("r".repeat(255));
    post(&longest).await.expect(201);
    for effect in ["deny", "Allow"] {
        let mut bad = wanted("team");
        bad["permissions"][0]["access"][1]["effect"] = json!(effect);
        let refused = post(&bad).await.refused(400, "UNSUPPORTED");
        assert!(refused.words().contains("leave out what the robot may not do"), "{}", refused.text);
    }
    let mut good = wanted("team");
    good["permissions"][0]["access"][0]["effect"] = json!("allow");
    good["permissions"][0]["access"][1]["effect"] = json!("");
    post(&good).await.expect(201);
    post(&wanted("team")).await.refused(409, "CONFLICT");
    post(&wanted("nothing")).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn that_there_is_none_is_told_to_every_account() {
    let house = House::open().await;
    house.project("team", false).await;
    house.user("jane").await;
    let there = house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201).made();
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let [gone, known] = [4711, there].map(|id| format!("{method} /robots/{id}"));
        let (jane, body) = (("jane", PASSWORD), json!({}));
        house.ask(&gone).by(jane).json(&body).await.refused(404, "NOT_FOUND");
        house.ask(&known).by(jane).json(&body).await.refused(403, "FORBIDDEN");
        house.ask(&gone).json(&body).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn name_and_level_stay() {
    let house = House::open().await;
    house.project("team", false).await;
    let id = house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201).made();
    for (field, value) in [("name", "robot$team+other"), ("level", "system")] {
        let mut body = house.ask(&format!("GET /robots/{id}")).by(ADMIN).await.expect(200).json;
        body[field] = json!(value);
        house.ask(&format!("PUT /robots/{id}")).by(ADMIN).json(&body).await.refused(400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn lists_are_by_level_and_project() {
    let house = House::open().await;
    let team = house.project("team", false).await;
    house.user("jane").await;
    house.member("team", "jane", 3).await;
    house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201);
    let system = json!({
        "name": "all", "level": "system", "duration": -1,
        "permissions": [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}],
    });
    house.ask("POST /robots").by(ADMIN).json(&system).await.expect(201);
    let list = house.ask("GET /robots").by(ADMIN).await.expect(200);
    assert_eq!(list.json[0]["name"], "robot$all");
    assert_eq!(list.json[0]["expires_at"], -1);
    assert_eq!(list.header("x-total-count"), Some("1"));
    let of_team = format!("GET /robots?q=Level%3Dproject%2CProjectID%3D{team}");
    let list = house.ask(&of_team).by(("jane", PASSWORD)).await.expect(200);
    assert_eq!(list.json[0]["name"], "robot$team+ci");
    house.ask("GET /robots").by(("jane", PASSWORD)).await.refused(403, "FORBIDDEN");
    house.ask("GET /robots").await.refused(401, "UNAUTHORIZED");
    for query in ["Level=project", "Level=galaxy", "Level=project,ProjectID=x"] {
        house.ask(&format!("GET /robots?q={query}")).by(ADMIN).await.refused(400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn one_that_ends_soon_is_reminded_and_then_refused() {
    let house = House::open().await;
    house.project("team", false).await;
    let made = house.ask("POST /robots").by(ADMIN).json(&wanted("team")).await.expect(201);
    let secret = made.json["secret"].as_str().expect("told once").to_owned();
    let ask = || house.ask("GET /projects").by(("robot$team+ci", &secret));
    assert_eq!(ask().await.expect(200).header("warning"), None);
    house.clock.advance(17 * DAY);
    let soon = ask().await.expect(200);
    assert!(soon.header("warning").expect("a reminder").starts_with("299 - \""));
    house.clock.advance(14 * DAY);
    ask().await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_robot_makes_robots_that_may_no_more_than_itself() {
    let house = House::open().await;
    house.project("team", false).await;
    let mut parent = wanted("team");
    parent["permissions"][0]["access"] = json!([
        {"resource": "robot", "action": "create"}, {"resource": "repository", "action": "pull"},
    ]);
    let made = house.ask("POST /robots").by(ADMIN).json(&parent).await.expect(201);
    let secret = made.json["secret"].as_str().expect("told once").to_owned();
    let by = ("robot$team+ci", secret.as_str());
    let mut child = wanted("team");
    child["name"] = json!("child");
    house.ask("POST /robots").by(by).json(&child).await.refused(403, "DENIED");
    child["permissions"][0]["access"] = json!([{"resource": "repository", "action": "pull"}]);
    let made = house.ask("POST /robots").by(by).json(&child).await.expect(201);
    let robot = house.ask(&format!("GET /robots/{}", made.made())).by(ADMIN).await.expect(200);
    assert_eq!(robot.json["creator_type"], "robot");
}

#[tokio::test]
async fn the_catalogue_is_told_by_who_asks() {
    let house = House::open().await;
    house.user("jane").await;
    let whole = house.ask("GET /permissions").by(ADMIN).await.expect(200);
    assert_eq!(whole.json["system"].as_array().map(Vec::len), Some(70));
    assert_eq!(whole.json["project"].as_array().map(Vec::len), Some(70));
    house.ask("GET /permissions").by(("jane", PASSWORD)).await.refused(403, "FORBIDDEN");
    house.project("team", false).await;
    house.member("team", "jane", 1).await;
    let half = house.ask("GET /permissions").by(("jane", PASSWORD)).await.expect(200);
    assert_eq!(half.json.get("system"), None);
    house.ask("GET /permissions").await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn lists_find_a_robot_by_any_of_its_names() {
    let house = House::open().await;
    house.project("team", false).await;
    let project = house.project("other", false).await;
    let mut system = wanted("team");
    system["level"] = json!("system");
    for body in [wanted("team"), wanted("other"), system] {
        house.ask("POST /robots").by(ADMIN).json(&body).await.expect(201);
    }
    let found = async |q: &str| {
        let list = house.ask(&format!("GET /robots?q={q}")).by(ADMIN).await.expect(200);
        assert_eq!(
            list.header("x-total-count"),
            Some(&*list.json.as_array().expect("a list").len().to_string())
        );
        list.json.pointer("/0/name").and_then(Value::as_str).map(str::to_owned)
    };
    // A plus is escaped twice, because `q` is read twice.
    for name in ["ci", "other%252Bci", "robot$other%252Bci", "{x%20robot$other%252Bci}"] {
        let q = format!("Level=project,ProjectID={project},name={name}");
        assert_eq!(found(&q).await.as_deref(), Some("robot$other+ci"), "{q}");
    }
    for name in ["team%252Bci", "robot$ci", "robot$team%252Bci", "other%252Bc"] {
        assert_eq!(found(&format!("Level=project,ProjectID={project},name={name}")).await, None, "{name}");
    }
    for name in ["ci", "robot$ci"] {
        assert_eq!(found(&format!("name={name}")).await.as_deref(), Some("robot$ci"), "{name}");
    }
    assert_eq!(found("name=robot$team%252Bci").await, None);
}
