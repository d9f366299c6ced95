//! Requests as clients of Harbor send them, recorded.

use serde_json::json;

use crate::house::{ADMIN, House};

/// What the provider makes of a Location: everything but the prefix.
fn id(location: &str) -> String {
    location.replace("/api", "").replace("/v2.0", "")
}

/// terraform-provider-harbor: `harbor_project`, `harbor_user`, `harbor_project_member_user`, `harbor_group`, `harbor_robot_account`.
/// It sends JSON with every request, also `null` with GET and DELETE, and reads each thing back under its Location.
#[tokio::test]
async fn terraform_applies_and_destroys() {
    let house = House::open().await;
    let post = |path: &str, body| {
        let line = format!("POST {path}");
        let house = &house;
        async move { house.ask(&line).by(ADMIN).json(&body).await.expect(201) }
    };
    let project = post("/projects", json!({
        "project_name": "main",
        "cve_allowlist": {},
        "storage_limit": -1,
        "metadata": {"auto_scan": "false", "severity": "low", "reuse_sys_cve_allowlist": "true", "public": "false", "prevent_vul": "false"},
    })).await;
    let project = id(project.header("location").expect("a Location"));
    assert_eq!(project, "/projects/2");
    let read =
        house.ask(&format!("GET {project}")).by(ADMIN).body("application/json", "null\n").await.expect(200);
    assert_eq!(read.json["metadata"]["prevent_vul"], "false");
    let user = post("/users", json!({
        "username": "john", "password": "Password12345!", "newpassword": "Password12345!", "email": "john@contoso.com",
        "realname": "John Smith", "sysadmin_flag": false,
    })).await;
    let user = id(user.header("location").expect("a Location"));
    let flag = json!({"username": "john", "sysadmin_flag": true});
    house.ask(&format!("PUT {user}/sysadmin")).by(ADMIN).json(&flag).await.expect(200);
    let member = post(
        &format!("{project}/members"),
        json!({"role_id": 2, "member_group": {}, "member_user": {"username": "john"}}),
    )
    .await;
    let member = id(member.header("location").expect("a Location"));
    let body = json!({"role_id": 3, "member_group": {}, "member_user": {"username": "john"}});
    house.ask(&format!("PUT {member}")).by(ADMIN).json(&body).await.expect(200);
    assert_eq!(house.ask(&format!("GET {member}")).by(ADMIN).await.expect(200).json["role_id"], 3);
    let group = post("/usergroups", json!({"group_name": "storage-group", "group_type": 3})).await;
    let group = id(group.header("location").expect("a Location"));
    let robot = post("/robots", json!({
        "name": "example-project", "level": "project", "description": "project level robot account", "duration": -1,
        "permissions": [{"access": [{"action": "pull", "resource": "repository"}], "kind": "project", "namespace": "main"}],
    })).await;
    let robot = id(robot.header("location").expect("a Location"));
    for thing in [&robot, &group, &member, &user, &project] {
        let line = format!("DELETE {thing}");
        house.ask(&line).by(ADMIN).body("application/json", "null\n").await.expect(200);
    }
    house.ask(&format!("GET {project}")).by(ADMIN).await.refused(404, "NOT_FOUND");
}

/// GitLab's integration asks whether the project is there, and shows what the key may see.
#[tokio::test]
async fn gitlab_checks_its_project() {
    let house = House::open().await;
    house.project("main", false).await;
    house.ask("HEAD /projects?project_name=main").by(ADMIN).await.expect(200);
    house.ask("HEAD /projects?project_name=gone").by(ADMIN).await.expect(404);
}

/// harbor-cli: the log-in checks who it is, lists go by page and filter as go-client writes them.
#[tokio::test]
async fn harbor_cli_logs_in_and_lists() {
    let house = House::open().await;
    house.ask("GET /users/current").by(ADMIN).await.expect(200);
    let ask = |line| house.ask(line).by(ADMIN).header("accept", "application/json");
    let list =
        ask("GET /projects?page=1&page_size=100&q=name%3D~lib&sort=name&with_detail=true").await.expect(200);
    assert_eq!(list.header("x-total-count"), Some("1"));
    ask("GET /robots?page=1&page_size=10&q=Level%3Dsystem&sort=name").await.expect(200);
    ask("GET /users?page=1&page_size=10&sort=-creation_time").await.expect(200);
    ask("GET /usergroups?page=1&page_size=10").await.expect(200);
}

/// Another Harbor that replicates into this one.
#[tokio::test]
async fn harbor_as_a_peer_asks_before_it_replicates() {
    let house = House::open().await;
    house.ask("GET /api/version").await.expect(200);
    house.ask("GET /systeminfo").by(ADMIN).await.expect(200);
    house.ask("GET /health").by(ADMIN).await.expect(200);
    let found = house.ask("GET /projects?name=library").by(ADMIN).await.expect(200);
    assert_eq!(found.json[0]["name"], "library");
    let body = json!({"project_name": "mirror", "public": true, "metadata": {"public": "true"}});
    house.ask("POST /projects").by(ADMIN).json(&body).await.expect(201);
    house.ask("POST /projects").by(ADMIN).json(&body).await.refused(409, "CONFLICT");
}
