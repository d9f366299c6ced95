//! Members of projects.

use serde_json::json;

use crate::house::{ADMIN, House, PASSWORD};

#[tokio::test]
async fn users_and_groups_get_lose_and_change_roles() {
    let house = House::open().await;
    let project = house.project("team", false).await;
    let jane = house.user("jane").await;
    let body = json!({"role_id": 2, "member_user": {"user_id": jane}, "member_group": {}});
    let made = house.ask("POST /projects/team/members").by(ADMIN).json(&body).await.expect(201);
    let id = made.made();
    assert_eq!(made.header("location"), Some(&*format!("/api/v2.0/projects/team/members/{id}")));
    let path = format!("/projects/{project}/members/{id}");
    let member = house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200);
    let expected = json!({
        "id": id, "project_id": project, "entity_name": "jane", "role_name": "developer", "role_id": 2,
        "entity_id": jane, "entity_type": "u",
    });
    assert_eq!(member.json, expected);
    house.ask(&format!("PUT {path}")).by(ADMIN).json(&json!({"role_id": 4})).await.expect(200);
    let group = json!({"group_name": "developers", "group_type": 3});
    house.ask("POST /usergroups").by(ADMIN).json(&group).await.expect(201);
    let body = json!({"role_id": 3, "member_group": {"group_name": "developers", "group_type": 3}});
    house.ask("POST /projects/team/members").by(ADMIN).json(&body).await.expect(201);
    let list = house.ask("GET /projects/team/members?entityname=E").by(ADMIN).await.expect(200);
    let rows: Vec<_> = list
        .json
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["entity_name"].as_str().expect("a name"), row["role_name"].as_str().expect("a name")))
        .collect();
    assert!(rows.contains(&("jane", "maintainer")) && rows.contains(&("developers", "guest")), "{rows:?}");
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.expect(200);
    house.ask(&format!("GET {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn members_that_cannot_be() {
    let house = House::open().await;
    house.project("team", false).await;
    house.user("jane").await;
    house.member("team", "jane", 2).await;
    let post = |body| house.ask("POST /projects/team/members").by(ADMIN).json(&body);
    let twice =
        post(json!({"role_id": 3, "member_user": {"username": "jane"}})).await.refused(409, "CONFLICT");
    assert_eq!(twice.words(), "project member jane already exists");
    for body in [
        json!({"role_id": 2}),
        json!({"role_id": 2, "member_user": {}}),
        json!({"role_id": 9, "member_user": {"username": "admin"}}),
        json!({"role_id": 1, "member_user": {"user_id": 4711}}),
        json!({"role_id": 1, "member_group": {"id": 4711}}),
    ] {
        post(body).await.refused(400, "BAD_REQUEST");
    }
    post(json!({"role_id": 1, "member_user": {"username": "nobody"}})).await.refused(404, "NOT_FOUND");
    for length in [256, 30_000] {
        let long = json!({"role_id": 1, "member_user": {"username": "n".repeat(length)}});
        let long = post(long).await.refused(404, "NOT_FOUND");
        assert_eq!(long.words(), format!("user {} is not found", "n".repeat(64)), "cut short");
    }
    for (group, words) in [
        (json!({"group_name": "g".repeat(256), "group_type": 3}), "group_name must be 1 to 255 bytes long"),
        (json!({"ldap_group_dn": "d".repeat(513), "group_name": "x"}), "at most 512 bytes long"),
    ] {
        let long = post(json!({"role_id": 1, "member_group": group})).await.refused(400, "BAD_REQUEST");
        assert!(long.words().contains(words), "{}", long.words());
    }
    house.ask("GET /projects/team/members/4711").by(ADMIN).await.refused(404, "NOT_FOUND");
    house.ask("GET /projects/team/members/x").by(ADMIN).await.refused(422, "UNPROCESSABLE_ENTITY");
}

#[tokio::test]
async fn who_may_see_and_change_them() {
    let house = House::open().await;
    house.project("team", true).await;
    for (name, role) in [("guest", 3), ("limited", 5), ("owner", 1)] {
        house.user(name).await;
        house.member("team", name, role).await;
    }
    house.user("stranger").await;
    let list = |name| house.ask("GET /projects/team/members").by((name, PASSWORD));
    list("guest").await.expect(200);
    list("limited").await.refused(403, "FORBIDDEN");
    list("stranger").await.refused(403, "FORBIDDEN");
    house.ask("GET /projects/team/members").await.refused(401, "UNAUTHORIZED");
    let body = json!({"role_id": 1, "member_user": {"username": "stranger"}});
    let add = |name| house.ask("POST /projects/team/members").by((name, PASSWORD)).json(&body);
    add("guest").await.refused(403, "FORBIDDEN");
    add("owner").await.expect(201);
}
