//! Each operation once, with success: what the table promises is there, and looks as Harbor describes it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{ADMIN, House, PASSWORD};

/// Requests in the order in which they make sense; `{made}` is the number of what was made last.
fn requests() -> Vec<(&'static str, Value)> {
    let user =
        json!({"username": "jane", "email": "j@example.org", "realname": "Jane", "password": PASSWORD});
    let profile = json!({"email": "k@example.org", "realname": "Jane"});
    let robot = json!({
        "name": "ci", "level": "system", "duration": 7,
        "permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "user", "action": "list"}]}],
    });
    let mut changed = robot.clone();
    changed["name"] = json!("robot$ci");
    let asked = Value::Null;
    vec![
        ("GET /api/version", asked.clone()),
        ("GET /ping", asked.clone()),
        ("GET /health", asked.clone()),
        ("GET /systeminfo", asked.clone()),
        ("GET /configurations", asked.clone()),
        ("GET /search?q=lib", asked.clone()),
        ("GET /permissions", asked.clone()),
        ("GET /users/current", asked.clone()),
        ("GET /users/current/permissions?scope=/system", asked.clone()),
        ("POST /users", user),
        ("GET /users", asked.clone()),
        ("GET /users/search?username=j", asked.clone()),
        ("GET /users/{made}", asked.clone()),
        ("PUT /users/{made}", profile),
        ("PUT /users/{made}/sysadmin", json!({"sysadmin_flag": true})),
        ("PUT /users/{made}/password", json!({"new_password": "An0ther password"})),
        ("PUT /users/{made}/cli_secret", json!({"secret": "An0ther secret"})),
        ("DELETE /users/{made}", asked.clone()),
        ("POST /robots", robot),
        ("GET /robots", asked.clone()),
        ("GET /robots/{made}", asked.clone()),
        ("PUT /robots/{made}", changed),
        ("PATCH /robots/{made}", json!({"secret": ""})),
        ("DELETE /robots/{made}", asked.clone()),
        ("POST /projects", json!({"project_name": "team"})),
        ("GET /projects?with_detail=true", asked.clone()),
        ("HEAD /projects?project_name=team", asked.clone()),
        ("GET /projects/team", asked.clone()),
        ("PUT /projects/team", json!({"metadata": {"auto_scan": "true"}})),
        ("GET /projects/team/summary", asked.clone()),
        ("GET /projects/team/metadatas/", asked.clone()),
        ("POST /projects/team/metadatas/", json!({"prevent_vul": "true"})),
        ("GET /projects/team/metadatas/prevent_vul", asked.clone()),
        ("PUT /projects/team/metadatas/prevent_vul", json!({"prevent_vul": "false"})),
        ("DELETE /projects/team/metadatas/prevent_vul", asked.clone()),
        ("POST /usergroups", json!({"group_name": "developers", "group_type": 1, "ldap_group_dn": "cn=dev"})),
        ("GET /usergroups", asked.clone()),
        ("GET /usergroups/search?groupname=dev", asked.clone()),
        ("GET /usergroups/{made}", asked.clone()),
        ("PUT /usergroups/{made}", json!({"group_name": "builders"})),
        ("POST /projects/team/members", json!({"role_id": 2, "member_group": {"ldap_group_dn": "cn=dev"}})),
        ("GET /projects/team/members", asked.clone()),
        ("GET /projects/team/members/{made}", asked.clone()),
        ("PUT /projects/team/members/{made}", json!({"role_id": 3})),
        ("DELETE /projects/team/members/{made}", asked.clone()),
        ("DELETE /usergroups/1", asked.clone()),
        ("GET /projects/team/_deletable", asked.clone()),
        ("DELETE /projects/team", asked),
    ]
}

#[tokio::test]
async fn each_answers_as_described() {
    let house = House::open().await;
    let mut answered = BTreeSet::new();
    let mut made = String::new();
    for (line, body) in requests() {
        let line = line.replace("{made}", &made);
        let ask = house.ask(&line).by(ADMIN);
        let answer = if body.is_null() { ask.await } else { ask.json(&body).await };
        assert!(answer.status < 300, "{line}: {} {}", answer.status, answer.text);
        if answer.header("location").is_some() {
            made = answer.made().to_string();
        }
        answered.insert(answer.operation);
    }
    for (line, form) in [
        ("POST /c/userExists", "target=username&value=admin"),
        ("POST /c/login", "principal=admin&password=Passw0rd+of+a+user"),
    ] {
        answered.insert(house.ask(line).by(ADMIN).form(form).await.expect(200).operation);
    }
    answered.insert(house.ask("GET /c/log_out").await.expect(200).operation);
    let all: BTreeSet<_> = berth_api_harbor::operations().map(|operation| operation.id).collect();
    assert_eq!(answered, all);
}
