//! A project's settings, one by one.

use serde_json::json;

use crate::house::{ADMIN, House, PASSWORD};

#[tokio::test]
async fn settings_come_change_and_go() {
    let house = House::open().await;
    house.project("team", false).await;
    let by = |line| house.ask(line).by(ADMIN);
    by("POST /projects/team/metadatas/").json(&json!({"auto_scan": "True"})).await.expect(200);
    assert_eq!(
        by("GET /projects/team/metadatas/").await.expect(200).json,
        json!({"public": "false", "auto_scan": "true"})
    );
    assert_eq!(by("GET /projects/team/metadatas").await.expect(200).json["public"], "false");
    by("PUT /projects/team/metadatas/auto_scan").json(&json!({"auto_scan": "false"})).await.expect(200);
    let one = by("GET /projects/team/metadatas/auto_scan").await.expect(200);
    assert_eq!(one.json, json!({"auto_scan": "false"}));
    by("PUT /projects/team/metadatas/public").json(&json!({"public": "true"})).await.expect(200);
    house.ask("GET /projects/team").await.expect(200);
    by("DELETE /projects/team/metadatas/auto_scan").await.expect(200);
    by("GET /projects/team/metadatas/auto_scan").await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn settings_that_cannot_be() {
    let house = House::open().await;
    house.project("team", false).await;
    let post = |body| house.ask("POST /projects/team/metadatas/").by(ADMIN).json(&body);
    post(json!({"auto_scan": "true"})).await.expect(200);
    post(json!({"auto_scan": "true"})).await.refused(409, "CONFLICT");
    for body in [
        json!({}),
        json!({"auto_scan": "true", "public": "true"}),
        json!({"auto_scan": "perhaps"}),
        json!({"unknown": "true"}),
        json!({"retention_id": "1"}),
    ] {
        post(body).await.refused(400, "BAD_REQUEST");
    }
    let put = house.ask("PUT /projects/team/metadatas/public").by(ADMIN).json(&json!({"auto_scan": "true"}));
    put.await.refused(400, "BAD_REQUEST");
    post(json!({"auto_scan": true})).await.refused(422, "UNPROCESSABLE_ENTITY");
}

#[tokio::test]
async fn who_may() {
    let house = House::open().await;
    house.project("team", true).await;
    for (name, role) in [("maintainer", 4), ("developer", 2)] {
        house.user(name).await;
        house.member("team", name, role).await;
    }
    let read = |name| house.ask("GET /projects/team/metadatas/public").by((name, PASSWORD));
    read("maintainer").await.expect(200);
    read("developer").await.refused(403, "FORBIDDEN");
    let body = json!({"public": "false"});
    // Harbor's roles read settings one by one; only a system administrator and a robot can be given the list.
    house.ask("GET /projects/team/metadatas/").by(("maintainer", PASSWORD)).await.refused(403, "FORBIDDEN");
    for (action, status) in [("list", 200), ("read", 403)] {
        let robot = json!({
            "name": action, "level": "project", "duration": 1,
            "permissions": [{"kind": "project", "namespace": "team", "access": [
                {"resource": "metadata", "action": action},
            ]}],
        });
        let made = house.ask("POST /robots").by(ADMIN).json(&robot).await.expect(201);
        let secret = made.json["secret"].as_str().expect("told once");
        let login = format!("robot$team+{action}");
        house.ask("GET /projects/team/metadatas/").by((&login, secret)).await.expect(status);
    }
    let change = |name| house.ask("PUT /projects/team/metadatas/public").by((name, PASSWORD)).json(&body);
    change("maintainer").await.refused(403, "FORBIDDEN");
    house.ask("GET /projects/team/metadatas/").await.refused(401, "UNAUTHORIZED");
}
