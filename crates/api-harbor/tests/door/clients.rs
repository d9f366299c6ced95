//! Requests as clients of Harbor send them, recorded.

use serde_json::{Value, json};

use crate::house::{ADMIN, House};

/// terraform-provider-harbor as it applies: it makes a thing, reads it under its Location, and keeps what it read.
struct Terraform<'a>(&'a House);

impl Terraform<'_> {
    /// A request of its own; without a body it says JSON all the same.
    async fn send(&self, line: &str, body: Value) -> Value {
        let ask = self.0.ask(line).by(ADMIN);
        let ask = if body.is_null() { ask.body("application/json", "") } else { ask.json(&body) };
        ask.await.expect(200).json
    }

    /// Makes a thing: what the provider makes of its Location, which is everything but the prefix, and what it reads there.
    async fn create(&self, path: &str, body: Value) -> (String, Value) {
        let made = self.0.ask(&format!("POST {path}")).by(ADMIN).json(&body).await.expect(201);
        let id = made.header("location").expect("a Location").replace("/api", "").replace("/v2.0", "");
        let read = self.read(&id).await;
        (id, read)
    }

    async fn read(&self, id: &str) -> Value {
        self.send(&format!("GET {id}"), Value::Null).await
    }

    async fn update(&self, id: &str, body: Value) -> Value {
        self.send(&format!("PUT {id}"), body).await;
        self.read(id).await
    }

    async fn destroy(&self, ids: &[&str]) {
        for id in ids {
            self.send(&format!("DELETE {id}"), Value::Null).await;
            self.0.ask(&format!("GET {id}")).by(ADMIN).await.expect(404);
        }
    }

    /// What it cuts off a system robot's name.
    async fn robot_prefix(&self) -> String {
        let set = self.read("/configurations").await;
        set["robot_name_prefix"]["value"].as_str().expect("a prefix").to_owned()
    }
}

/// What it sends of a project, as it does now.
fn terraform_project(auto_scan: &str) -> Value {
    json!({
        "project_name": "main", "cve_allowlist": {}, "storage_limit": -1,
        "metadata": {
            "enable_content_trust": "false", "enable_content_trust_cosign": "true", "auto_scan": auto_scan,
            "severity": "low", "reuse_sys_cve_allowlist": "true", "public": "false", "prevent_vul": "false",
            "auto_sbom_generation": "false", "proxy_speed_kb": "-1", "proxy_cache_local_on_not_found": "false",
        },
    })
}

/// `harbor_project`, `harbor_user`, `harbor_group`, `harbor_project_member_user`, `harbor_project_member_group`.
#[tokio::test]
async fn terraform_applies_and_destroys() {
    let house = House::open().await;
    let terraform = Terraform(&house);
    let (project, read) = terraform.create("/projects", terraform_project("false")).await;
    assert_eq!((project.as_str(), &read["project_id"]), ("/projects/2", &json!(2)));
    assert_eq!((&read["name"], &read["metadata"]["prevent_vul"]), (&json!("main"), &json!("false")));
    let read = terraform.update(&project, terraform_project("true")).await;
    for (key, value) in [("auto_scan", "true"), ("enable_content_trust_cosign", "true"), ("severity", "low")]
    {
        assert_eq!(read["metadata"][key], value, "{key}");
    }
    // After each change it asks whether limits count, and would look for the project's if they did.
    assert_eq!(terraform.read("/configurations").await["quota_per_project_enable"]["value"], false);

    let mut john = json!({
        "username": "john", "password": "Password12345!", "realname": "John Smith", "email": "john@contoso.com",
        "new_password": "Password12345!",
    });
    let (user, read) = terraform.create("/users", john.clone()).await;
    assert_eq!((&read["username"], &read["sysadmin_flag"]), (&json!("john"), &json!(false)));
    john["sysadmin_flag"] = json!(true);
    john["realname"] = json!("J. Smith");
    for name in ["password", "new_password"] {
        john[name] = json!("Password123456!");
    }
    terraform.send(&format!("PUT {user}"), john.clone()).await;
    terraform.send(&format!("PUT {user}/sysadmin"), john.clone()).await;
    terraform.send(&format!("PUT {user}/password"), john).await;
    let read = terraform.read(&user).await;
    assert_eq!((&read["realname"], &read["sysadmin_flag"]), (&json!("J. Smith"), &json!(true)));
    house.ask("GET /users/current").by(("john", "Password123456!")).await.expect(200);

    let members = format!("{project}/members");
    let member =
        |role: i64| json!({"role_id": role, "member_group": {}, "member_user": {"username": "john"}});
    let (john, read) = terraform.create(&members, member(2)).await;
    assert_eq!((&read["entity_name"], &read["role_id"]), (&json!("john"), &json!(2)));
    assert_eq!(terraform.update(&john, member(3)).await["role_id"], 3);

    let (group, read) =
        terraform.create("/usergroups", json!({"group_name": "storage-group", "group_type": 3})).await;
    assert_eq!((&read["group_name"], &read["group_type"]), (&json!("storage-group"), &json!(3)));
    let number = &read["id"];
    let (member, read) = terraform
        .create(
            &members,
            json!({"role_id": 4, "member_group": {"group_type": 3, "id": number}, "member_user": {}}),
        )
        .await;
    assert_eq!((&read["entity_name"], &read["entity_type"]), (&json!("storage-group"), &json!("g")));
    // `data "harbor_users"` asks page by page, until one is empty.
    assert_eq!(terraform.read("/users?page=1&q=username=john").await[0]["email"], "john@contoso.com");
    assert_eq!(terraform.read("/users?page=2&q=username=john").await, json!([]));
    terraform.destroy(&[&member, &group, &john, &user, &project]).await;
}

/// `harbor_robot_account` of both levels, with a secret of one's own, and `data "harbor_robot_accounts"`.
#[tokio::test]
async fn terraform_applies_robots() {
    let house = House::open().await;
    let terraform = Terraform(&house);
    let (project, _) = terraform.create("/projects", terraform_project("false")).await;
    let pull = json!({"action": "pull", "resource": "repository"});
    let push = json!({"action": "push", "resource": "repository", "effect": "allow"});
    let wanted = json!({
        "name": "example", "level": "project", "description": "project level robot account", "duration": -1,
        "permissions": [{"access": [pull, push], "kind": "project", "namespace": "main"}],
    });
    let (robot, read) = terraform.create("/robots", wanted.clone()).await;
    let name = read["name"].as_str().expect("a name");
    let namespace = read["permissions"][0]["namespace"].as_str().expect("a namespace");
    assert_eq!(name.split(&format!("{namespace}+")).nth(1), Some("example"), "as it cuts the name off");
    assert_eq!((&read["level"], &read["duration"]), (&json!("project"), &json!(-1)));
    terraform.send(&format!("PATCH {robot}"), json!({"secret": "Password12345!"})).await;
    house.ask("GET /projects").by((name, "Password12345!")).await.expect(200);
    let mut changed = wanted;
    changed["name"] = json!(name);
    changed["disable"] = json!(true);
    changed["duration"] = json!(30);
    assert_eq!(terraform.update(&robot, changed).await["disable"], true);

    let everywhere = json!({
        "name": "everywhere", "level": "system", "duration": -1, "permissions": [
            {"access": [{"action": "create", "resource": "label"}], "kind": "system", "namespace": "/"},
            {"access": [{"action": "push", "resource": "repository"}], "kind": "project", "namespace": "*"},
        ],
    });
    let (system, read) = terraform.create("/robots", everywhere).await;
    let prefix = terraform.robot_prefix().await;
    assert_eq!(read["name"].as_str().and_then(|name| name.strip_prefix(&prefix)), Some("everywhere"));
    let number = project.rsplit('/').next().expect("a number");
    let listed = terraform.read(&format!("/robots?page=1&q=Level=project,ProjectID={number}")).await;
    assert_eq!(listed[0]["name"], name);
    assert_eq!(terraform.read("/robots?page=1").await[0]["name"], read["name"]);
    assert_eq!(terraform.read("/robots?page=2").await, json!([]));
    terraform.destroy(&[&robot, &system, &project]).await;
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
