//! Projects.

use serde_json::{Value, json};

use crate::house::{ADMIN, Answer, House, PASSWORD};

fn names(answer: &Answer) -> Vec<&str> {
    let list = answer.json.as_array().expect("a list");
    list.iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn one_is_made_read_changed_and_deleted() {
    let house = House::open().await;
    house.user("jane").await;
    let jane = ("jane", PASSWORD);
    let body = json!({"project_name": "team", "metadata": {"public": "false", "auto_scan": "true"}, "storage_limit": -1});
    let made = house.ask("POST /projects").by(jane).json(&body).await.expect(201);
    assert!(made.text.is_empty());
    let id = made.made();
    assert_eq!(id, 2, "numbers begin after library");
    let project = house.ask(&format!("GET /projects/{id}")).by(jane).await.expect(200);
    let expected = [
        ("name", json!("team")),
        ("project_id", json!(id)),
        ("owner_name", json!("jane")),
        ("owner_id", json!(3)),
        ("repo_count", json!(0)),
        ("current_user_role_id", json!(1)),
        ("current_user_role_ids", json!([1])),
        ("metadata", json!({"public": "false", "auto_scan": "true"})),
    ];
    for (field, value) in expected {
        assert_eq!(project.json[field], value, "{field}");
    }
    for later in ["cve_allowlist", "registry_id", "deleted"] {
        assert_eq!(project.json.get(later), None, "{later}");
    }
    let body = json!({"metadata": {"public": "true", "severity": "High"}});
    house.ask("PUT /projects/team").by(jane).json(&body).await.expect(200);
    let project = house.ask("GET /projects/team").await.expect(200);
    assert_eq!(project.json["metadata"], json!({"public": "true", "auto_scan": "true", "severity": "high"}));
    assert_eq!(project.json.get("current_user_role_id"), None, "anonymous has none");
    let may = house.ask("GET /projects/team/_deletable").by(jane).await.expect(200);
    assert_eq!(may.json["deletable"], true);
    house.ask("DELETE /projects/team").by(jane).await.expect(200);
    house.ask("GET /projects/team").by(ADMIN).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_location_can_say_the_name() {
    let house = House::open().await;
    let post = house.ask("POST /projects").by(ADMIN).json(&json!({"project_name": "team"}));
    let made = post.header("x-resource-name-in-location", "true").await.expect(201);
    assert_eq!(made.header("location"), Some("/api/v2.0/projects/team"));
    let project = house.ask("GET /projects/team").by(ADMIN).await.expect(200);
    assert_eq!(project.json["metadata"]["public"], "false", "private unless it says otherwise");
}

#[tokio::test]
async fn a_name_of_digits_is_a_number_unless_it_is_said_otherwise() {
    let house = House::open().await;
    let id = house.project("7", false).await;
    assert_ne!(id, 7);
    house.ask("GET /projects/7").by(ADMIN).await.refused(404, "NOT_FOUND");
    let named = house.ask("GET /projects/7").by(ADMIN).header("x-is-resource-name", "true").await.expect(200);
    assert_eq!(named.json["project_id"], id);
    let numbered = house.ask(&format!("GET /projects/{id}")).by(ADMIN).await.expect(200);
    assert_eq!(numbered.json["name"], "7");
}

#[tokio::test]
async fn projects_that_cannot_be() {
    let house = House::open().await;
    house.project("team", false).await;
    let post = |body: Value| house.ask("POST /projects").by(ADMIN).json(&body);
    for name in ["", "Team", "te am", "-team", "team-", "a..b", "té", &"t".repeat(256), "a\nb"] {
        post(json!({"project_name": name})).await.refused(400, "BAD_REQUEST");
    }
    post(json!({})).await.refused(400, "BAD_REQUEST");
    post(json!({"project_name": "team"})).await.refused(409, "CONFLICT");
    post(json!({"project_name": "library"})).await.refused(409, "CONFLICT");
    for (field, value) in [
        ("metadata", json!({"public": "perhaps"})),
        ("metadata", json!({"severity": "urgent"})),
        ("metadata", json!({"retention_id": "7"})),
        ("storage_limit", json!(-2)),
        ("registry_id", json!(7)),
        ("cve_allowlist", json!({"items": [{"cve_id": "CVE-2019-10164"}]})),
    ] {
        let answer = post(json!({"project_name": "other", field: value})).await;
        assert_eq!(answer.status, 400, "{field}: {}", answer.text);
    }
    house.ask("POST /projects").json(&json!({"project_name": "x"})).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_list_shows_what_one_may_see() {
    let house = House::open().await;
    house.user("jane").await;
    for (name, public) in [("open", true), ("hers", false), ("hidden", false)] {
        house.project(name, public).await;
    }
    house.member("hers", "jane", 3).await;
    let jane = ("jane", PASSWORD);
    let list = |query: &str| format!("GET /projects?sort=name{query}");
    let all = house.ask(&list("")).by(ADMIN).await.expect(200);
    assert_eq!(names(&all), ["hers", "hidden", "library", "open"]);
    let some = house.ask(&list("")).by(jane).await.expect(200);
    assert_eq!(names(&some), ["hers", "library", "open"]);
    let public = house.ask(&list("")).await.expect(200);
    assert_eq!(names(&public), ["library", "open"]);
    assert_eq!(public.header("x-total-count"), Some("2"));
    assert_eq!(names(&house.ask(&list("&public=false")).by(jane).await.expect(200)), ["hers"]);
    assert_eq!(names(&house.ask(&list("&public=false")).await.expect(200)), [""; 0]);
    assert_eq!(names(&house.ask(&list("&name=h")).by(ADMIN).await.expect(200)), ["hers", "hidden"]);
    assert_eq!(
        names(&house.ask(&list("&q=name%3D~h,public%3Dfalse")).by(ADMIN).await.expect(200)),
        ["hers", "hidden"]
    );
    let any = list("&q=name%3D%7Bopen+hers+nothing%7D");
    assert_eq!(names(&house.ask(&any).by(ADMIN).await.expect(200)), ["hers", "open"]);
    assert_eq!(names(&house.ask(&any).await.expect(200)), ["open"], "of what one may see");
    let owners = list("&q=owner%3D%7Bjane+admin%7D,name%3D~hi");
    assert_eq!(names(&house.ask(&owners).by(ADMIN).await.expect(200)), ["hidden"]);
    for (wrong, words) in [
        ("name%3D%5Ba~b%5D", "name in q is a text: write name=x, name=~x or name={x y}"),
        ("name%3D(a+b)", "name in q is a text: write name=x, name=~x or name={x y}"),
        ("name%3D%7B%7D", "the list of name in q is empty: write name={x y}"),
        ("owner%3D~j", "owner in q is compared whole: write owner=x or owner={x y}"),
        (
            "creation_time%3D%5B1~2%5D",
            "this list cannot be filtered by creation_time: q takes name, owner, public",
        ),
    ] {
        let refused = house.ask(&list(&format!("&q={wrong}"))).by(ADMIN).await.refused(400, "BAD_REQUEST");
        assert_eq!(refused.words(), words);
    }
    assert_eq!(names(&house.ask(&list("&q=name=open")).by(ADMIN).await.expect(200)), ["open"]);
    assert_eq!(names(&house.ask(&list("&owner=jane")).by(ADMIN).await.expect(200)), [""; 0]);
}

#[tokio::test]
async fn whether_a_name_is_taken() {
    let house = House::open().await;
    house.user("jane").await;
    house.project("team", false).await;
    let head = |name: &str| format!("HEAD /projects?project_name={name}");
    house.ask(&head("team")).by(ADMIN).await.expect(200);
    house.ask(&head("nothing")).by(ADMIN).await.expect(404);
    // As in Harbor: who makes a project learns it anyway.
    house.ask(&head("team")).by(("jane", PASSWORD)).await.expect(200);
    house.ask(&head("nothing")).by(("jane", PASSWORD)).await.expect(404);
    house.ask(&head("No%20Name")).by(("jane", PASSWORD)).await.expect(404);
    for name in ["team", "nothing", "library"] {
        house.ask(&head(name)).await.expect(401);
    }
    house.ask("HEAD /projects").by(ADMIN).await.expect(422);
}

#[tokio::test]
async fn a_summary_says_as_much_as_one_may_know() {
    let house = House::open().await;
    house.project("team", true).await;
    for (name, role) in [("guest", 3), ("limited", 5)] {
        house.user(name).await;
        house.member("team", name, role).await;
    }
    let guest = house.ask("GET /projects/team/summary").by(("guest", PASSWORD)).await.expect(200);
    assert_eq!(guest.json["repo_count"], 0);
    assert_eq!(guest.json["project_admin_count"], 1);
    assert_eq!(guest.json["guest_count"], 1);
    assert_eq!(guest.json["quota"], json!({"hard": {"storage": -1}, "used": {"storage": 0}}));
    let limited = house.ask("GET /projects/team/summary").by(("limited", PASSWORD)).await.expect(200);
    assert_eq!(limited.json.get("guest_count"), None, "limited guests do not see members");
    let anyone = house.ask("GET /projects/team/summary").await.expect(200);
    assert_eq!(anyone.json, json!({"repo_count": 0}));
}

#[tokio::test]
async fn who_may_limit_says_how_much_a_project_may_hold() {
    let house = House::open().await;
    house.user("jane").await;
    let robot = json!({
        "name": "maker", "level": "system", "duration": 1,
        "permissions": [{"kind": "system", "namespace": "/", "access": [
            {"resource": "project", "action": "create"},
        ]}, {"kind": "project", "namespace": "*", "access": [{"resource": "project", "action": "read"}]}],
    });
    let robot = house.ask("POST /robots").by(ADMIN).json(&robot).await.expect(201);
    let robot = ("robot$maker", robot.json["secret"].as_str().expect("told once"));
    let other = json!({
        "name": "puller", "level": "system", "duration": 1,
        "permissions": [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}],
    });
    let other = house.ask("POST /robots").by(ADMIN).json(&other).await.expect(201);
    let other = ("robot$puller", other.json["secret"].as_str().expect("told once"));
    for (name, maker, limit, hard) in [
        ("by-other-robot", other, 1 << 20, -1),
        ("by-admin", ADMIN, 1 << 30, 1 << 30),
        ("by-robot", robot, 1 << 20, 1 << 20),
        ("by-jane", ("jane", PASSWORD), 1 << 30, -1),
        ("unlimited", ADMIN, -1, -1),
        ("default", ADMIN, 0, -1),
    ] {
        let body = json!({"project_name": name, "storage_limit": limit});
        house.ask("POST /projects").by(maker).json(&body).await.expect(201);
        let summary = house.ask(&format!("GET /projects/{name}/summary")).by(ADMIN).await.expect(200);
        assert_eq!(summary.json["quota"]["hard"]["storage"], hard, "{name}");
    }
}

#[tokio::test]
async fn a_search_shows_what_one_may_see() {
    let house = House::open().await;
    house.project("open", true).await;
    house.project("hidden", false).await;
    let found = |answer: Answer| -> Vec<String> {
        let projects = answer.json["project"].as_array().expect("a list");
        projects.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(found(house.ask("GET /search?q=e").by(ADMIN).await.expect(200)), ["open", "hidden"]);
    assert_eq!(found(house.ask("GET /search?q=e").await.expect(200)), ["open"]);
    house.ask("GET /search").await.refused(422, "UNPROCESSABLE_ENTITY");
    assert!(house.ask("GET /search?q=zzz").await.expect(200).json["repository"].is_array());
}

#[tokio::test]
async fn the_first_project_is_the_first_administrators() {
    let house = House::open().await;
    let library = house.ask("GET /projects/library").by(ADMIN).await.expect(200);
    assert_eq!(
        (&library.json["owner_name"], &library.json["current_user_role_id"]),
        (&json!("admin"), &json!(1))
    );
    let members = house.ask("GET /projects/1/members").by(ADMIN).await.expect(200);
    let rows = members.json.as_array().expect("a list");
    assert_eq!(rows.len(), 1);
    let row = (&rows[0]["id"], &rows[0]["entity_name"], &rows[0]["role_name"]);
    assert_eq!(row, (&json!(1), &json!("admin"), &json!("projectAdmin")));
}
