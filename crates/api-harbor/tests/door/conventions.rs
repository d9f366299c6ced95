//! What holds of every operation: who is refused how, pages, bodies, paths and methods.

use serde_json::json;

use crate::house::{ADMIN, BODY_LIMIT, House, PASSWORD};

#[tokio::test]
async fn an_unknown_project_is_told_by_who_asks() {
    let house = House::open().await;
    house.user("stranger").await;
    house.project("hidden", false).await;
    let stranger = ("stranger", PASSWORD);
    for project in ["nothing", "hidden", "4711", "No%20Name!"] {
        let path = format!("GET /projects/{project}");
        house.ask(&path).await.refused(401, "UNAUTHORIZED");
        house.ask(&path).by(stranger).await.refused(403, "FORBIDDEN");
        if project != "hidden" {
            house.ask(&path).by(ADMIN).await.refused(404, "NOT_FOUND");
        }
    }
    house.ask("GET /projects/hidden").by(ADMIN).await.expect(200);
}

#[tokio::test]
async fn wrong_credentials_are_refused_wherever_they_are_shown() {
    let house = House::open().await;
    house.ask("GET /projects").by(("admin", "Wrong passw0rd")).await.refused(401, "UNAUTHORIZED");
    for (name, line) in [
        ("one", "GET /projects"),
        ("two", "GET /systeminfo"),
        ("three", "GET /users/current"),
        ("four", "GET /search?q=a"),
        ("five", "HEAD /projects?project_name=library"),
    ] {
        house.ask(line).by((name, PASSWORD)).await.expect(401);
        house.ask(line).header("authorization", "Bearer rubbish").await.expect(401);
        house.ask(line).header("authorization", "Basic %%%").await.expect(401);
        house.ask(line).header("authorization", "Digest x").await.expect(401);
    }
}

#[tokio::test]
async fn open_operations_ask_nobody() {
    let house = House::open().await;
    let wrong = ("nobody", "Wrong passw0rd");
    let pong = house.ask("GET /ping").by(wrong).await.expect(200);
    assert_eq!(pong.text, "Pong");
    let version = house.ask("GET /api/version").by(wrong).await.expect(200);
    assert_eq!(version.json, json!({"version": "v2.0"}));
    house.ask("GET /health").by(wrong).await.expect(200);
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let house = House::open().await;
    for line in [
        "GET /nothing",
        "GET /api/v1.0/projects",
        "GET /api/",
        "GET /c/oidc/login",
        "POST /projects/1/robots",
    ] {
        house.ask(line).by(ADMIN).await.refused(404, "NOT_FOUND");
    }
    let wrong = house.ask("DELETE /users").by(ADMIN).await.refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), Some("GET, POST"));
    let wrong = house.ask("GET /c/login").await.refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(wrong.header("allow"), Some("POST"));
    house.ask("HEAD /users").by(ADMIN).await.expect(200);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let house = House::open().await;
    let post = || house.ask("POST /users").by(ADMIN);
    for body in ["{", "[]", "7", "null", "", "{\"username\":7}", "{\"username\":\"a\\u0000b\"}"] {
        post().body("application/json", body).await.refused(422, "UNPROCESSABLE_ENTITY");
    }
    let deep = "[".repeat(10_000);
    post().body("application/json", deep).await.refused(422, "UNPROCESSABLE_ENTITY");
    post().body("text/plain", "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let large = format!("{{\"comment\":\"{}\"}}", "x".repeat(BODY_LIMIT));
    post().body("application/json", large).await.refused(413, "REQUEST_ENTITY_TOO_LARGE");
    house.ask("GET /users/seven").by(ADMIN).await.refused(422, "UNPROCESSABLE_ENTITY");
}

#[tokio::test]
async fn nobody_sends_little_and_only_where_it_is_for_them() {
    let house = House::open().await;
    let large = "x".repeat(17 << 10);
    let form = format!("principal=admin&password={large}");
    house.ask("POST /c/login").form(&form).await.refused(413, "REQUEST_ENTITY_TOO_LARGE");
    let user = json!({"comment": large});
    house.ask("POST /users").json(&user).await.refused(413, "REQUEST_ENTITY_TOO_LARGE");
    for line in ["POST /projects", "PUT /users/1", "PUT /projects/1", "POST /projects/1/members"] {
        // A body that cannot even be read is not looked at.
        house.ask(line).body("text/plain", large.clone()).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn unknown_fields_are_passed_over() {
    let house = House::open().await;
    let body = json!({"project_name": "extra", "count_limit": 7, "cve_allowlist": {}, "metadata": null});
    house.ask("POST /projects").by(ADMIN).json(&body).await.expect(201);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = House::open().await;
    for number in 0..12 {
        house.project(&format!("p{number:02}"), true).await;
    }
    let first = house.ask("GET /projects?name=p&sort=name").by(ADMIN).await.expect(200);
    assert_eq!(first.json.as_array().map(Vec::len), Some(10));
    assert_eq!(first.header("x-total-count"), Some("12"));
    let next = "</api/v2.0/projects?name=p&page=2&page_size=10&sort=name>; rel=\"next\"";
    assert_eq!(first.header("link"), Some(next));
    let second = house.ask("GET /projects?name=p&page=2&page_size=10&sort=name").await.expect(200);
    let names: Vec<_> = second.json.as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["p10", "p11"]);
    assert!(second.header("link").expect("a link").ends_with("rel=\"prev\""));
    let turned = house.ask("GET /projects?name=p&sort=-name&page_size=1").await.expect(200);
    assert_eq!(turned.json[0]["name"], "p11");
    house.ask("GET /projects?page_size=101").await.refused(422, "UNPROCESSABLE_ENTITY");
    house.ask("GET /projects?page=x").await.refused(422, "UNPROCESSABLE_ENTITY");
    let far = house.ask("GET /projects?page=9223372036854775807&page_size=100").await.expect(200);
    assert_eq!(far.json, json!([]));
}

#[tokio::test]
async fn filters_and_orders_that_make_no_sense_are_refused_with_words() {
    let house = House::open().await;
    for line in ["GET /projects?q=name", "GET /projects?q=name=[1", "GET /users?q=size=7"] {
        house.ask(line).by(ADMIN).await.refused(400, "BAD_REQUEST");
    }
    let unknown = house.ask("GET /projects?sort=size").await.refused(400, "BAD_REQUEST");
    assert!(unknown.words().contains("name"), "{}", unknown.words());
    for line in ["GET /projects?name=a%00b", "GET /users/search?username=%00"] {
        house.ask(line).by(ADMIN).await.refused(422, "UNPROCESSABLE_ENTITY");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let house = House::open().await;
    house.user("victim").await;
    let mut last = house.ask("GET /users/current").by(("victim", "Wrong passw0rd")).await;
    for _ in 0..4 {
        last = house.ask("GET /users/current").by(("victim", "Wrong passw0rd")).await;
    }
    let slowed = last.refused(429, "TOO_MANY_REQUEST");
    assert!(slowed.header("retry-after").is_some());
}
