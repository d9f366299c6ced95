//! Users: made and found by administrators, changed by themselves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{ADMIN, House, PASSWORD};

const JANE: (&str, &str) = ("jane", PASSWORD);

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_them() {
    let house = House::open().await;
    let id = house.user("jane").await;
    assert_eq!(id, 3, "numbers begin where Harbor's do");
    let path = format!("/users/{id}");
    let jane = house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200);
    assert_eq!(jane.json["username"], "jane");
    assert_eq!(jane.json["sysadmin_flag"], false);
    assert_eq!(jane.json["admin_role_in_auth"], false);
    assert_eq!(jane.json.get("comment"), None, "what is empty is left out, as Harbor does");
    let profile = json!({"email": "new@example.org", "realname": "Jane D", "comment": "hi"});
    house.ask(&format!("PUT {path}")).by(ADMIN).json(&profile).await.expect(200);
    let jane = house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200);
    assert_eq!((&jane.json["email"], &jane.json["comment"]), (&json!("new@example.org"), &json!("hi")));
    let flag = json!({"sysadmin_flag": true});
    house.ask(&format!("PUT {path}/sysadmin")).by(ADMIN).json(&flag).await.expect(200);
    house.ask("GET /users").by(JANE).await.expect(200);
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.expect(200);
    house.ask(&format!("GET {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
    house.ask("GET /users/current").by(JANE).await.refused(401, "UNAUTHORIZED");
    assert_ne!(house.user("jane").await, id, "numbers are never used again");
}

#[tokio::test]
async fn users_that_cannot_be() {
    let house = House::open().await;
    house.user("jane").await;
    let good =
        json!({"username": "joe", "email": "joe@example.org", "realname": "Joe", "password": PASSWORD});
    let post = |body: &Value| house.ask("POST /users").by(ADMIN).json(body);
    let unseen = "must not contain any of ,\"~#%$, or control or invisible characters";
    for (field, value, words) in [
        ("username", json!(""), "username must be 1 to 255 bytes long"),
        ("username", json!("robot$joe"), unseen),
        ("username", json!("j".repeat(256)), "username must be 1 to 255 bytes long"),
        ("username", json!("j\u{7}oe"), unseen),
        ("username", json!("j\u{200b}oe"), unseen),
        ("email", json!("joe"), "email must look like name@example.org"),
        ("email", json!("jo\u{2060}e@example.org"), "email must look like name@example.org"),
        ("email", json!(format!("{}@example.org", "j".repeat(244))), "email must be 1 to 255 bytes long"),
        ("realname", json!(""), "realname must be 1 to 255 bytes long"),
        ("realname", json!("J".repeat(256)), "realname must be 1 to 255 bytes long"),
        ("realname", json!("\u{202e}eoJ"), unseen),
        ("comment", json!("x".repeat(31)), "comment must be at most 30 characters long"),
        ("password", json!("short1A"), "must be 8 to 128 characters long"),
        ("password", json!("aB3".repeat(43)), "must be 8 to 128 characters long"),
        ("password", json!("Passw0rd\n"), "must not contain control characters"),
        ("password", json!(null), "must be 8 to 128 characters long"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = post(&bad).await.refused(400, "BAD_REQUEST");
        assert!(refused.words().contains(words), "{}: {bad}", refused.words());
    }
    for (field, value) in [("username", "jane"), ("email", "jane@example.org")] {
        let mut taken = good.clone();
        taken[field] = json!(value);
        post(&taken).await.refused(409, "CONFLICT");
    }
    post(&good).await.expect(201);
}

#[tokio::test]
async fn a_real_name_may_be_joined_as_its_script_wants_and_no_username() {
    let house = House::open().await;
    let joined = "رضائی\u{200c}راد";
    let mut reza =
        json!({"username": joined, "email": "reza@example.org", "realname": joined, "password": PASSWORD});
    let post = |body: &Value| house.ask("POST /users").by(ADMIN).json(body);
    post(&reza).await.refused(400, "BAD_REQUEST");
    reza["username"] = json!("reza");
    let path = format!("/users/{}", post(&reza).await.expect(201).made());
    assert_eq!(house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200).json["realname"], joined);
}

#[tokio::test]
async fn a_name_that_is_somebody_elses_address_is_taken_and_the_reverse() {
    let house = House::open().await;
    let jane = house.user("jane").await;
    let person = |username: &str, email: &str| json!({"username": username, "email": email, "realname": "J", "password": PASSWORD});
    let post = |body: &Value| house.ask("POST /users").by(ADMIN).json(body);
    let posing = post(&person("jane@example.org", "posing@example.org")).await.refused(409, "CONFLICT");
    assert_eq!(
        posing.words(),
        "a user that logs in with jane@example.org or posing@example.org already exists"
    );
    post(&person("joe@example.org", "joe@example.org")).await.expect(201);
    post(&person("claiming", "joe@example.org")).await.refused(409, "CONFLICT");
    let profile = json!({"email": "joe@example.org", "realname": "Jane"});
    let changed = house.ask(&format!("PUT /users/{jane}")).by(JANE).json(&profile).await;
    let refused = changed.refused(409, "CONFLICT");
    assert_eq!(refused.words(), "a user that logs in with joe@example.org already exists");
    house.ask("GET /users/current").by(("jane@example.org", PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn they_change_themselves_and_nobody_else() {
    let house = House::open().await;
    let (jane, joe) = (house.user("jane").await, house.user("joe").await);
    let profile = json!({"email": "j@example.org", "realname": "J"});
    house.ask(&format!("PUT /users/{jane}")).by(JANE).json(&profile).await.expect(200);
    house.ask(&format!("PUT /users/{joe}")).by(JANE).json(&profile).await.refused(403, "FORBIDDEN");
    house.ask(&format!("GET /users/{joe}")).by(JANE).await.refused(403, "FORBIDDEN");
    house.ask(&format!("GET /users/{joe}")).await.refused(401, "UNAUTHORIZED");
    house.ask(&format!("DELETE /users/{joe}")).by(JANE).await.refused(403, "FORBIDDEN");
    house.ask("GET /users").by(JANE).await.refused(403, "FORBIDDEN");
    house.ask("GET /users").await.refused(401, "UNAUTHORIZED");
    let flag = json!({"sysadmin_flag": true});
    house.ask(&format!("PUT /users/{jane}/sysadmin")).by(JANE).json(&flag).await.refused(403, "FORBIDDEN");
    house.ask("DELETE /users/1").by(ADMIN).await.refused(403, "FORBIDDEN");
}

#[tokio::test]
async fn passwords_are_changed() {
    let house = House::open().await;
    let jane = house.user("jane").await;
    let path = format!("PUT /users/{jane}/password");
    let put = |old: &str, new: &str| {
        house.ask(&path).by(JANE).json(&json!({"old_password": old, "new_password": new}))
    };
    put("Wrong passw0rd", "An0ther password").await.refused(403, "FORBIDDEN");
    put(PASSWORD, "weak").await.refused(400, "BAD_REQUEST");
    put(PASSWORD, PASSWORD).await.refused(400, "BAD_REQUEST");
    house.clock.advance(Duration::from_secs(1));
    put(PASSWORD, "An0ther password").await.expect(200);
    house.ask("GET /users/current").by(JANE).await.refused(401, "UNAUTHORIZED");
    house.ask("GET /users/current").by(("jane", "An0ther password")).await.expect(200);
    let by_admin = |new: &str| house.ask(&path).by(ADMIN).json(&json!({"new_password": new}));
    by_admin("An0ther password").await.refused(400, "BAD_REQUEST");
    by_admin("Th1rd password").await.expect(200);
    house.ask("GET /users/current").by(("jane", "Th1rd password")).await.expect(200);
}

#[tokio::test]
async fn a_cli_secret_is_for_the_registry_only() {
    let house = House::open().await;
    let jane = house.user("jane").await;
    let path = format!("PUT /users/{jane}/cli_secret");
    house.ask(&path).by(JANE).json(&json!({"secret": "weak"})).await.refused(400, "BAD_REQUEST");
    house.ask(&path).by(JANE).json(&json!({"secret": "An0ther secret"})).await.expect(200);
    house.ask("GET /users/current").by(("jane", "An0ther secret")).await.refused(401, "UNAUTHORIZED");
    house.ask(&path).json(&json!({"secret": "An0ther secret"})).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn they_are_listed_filtered_and_searched() {
    let house = House::open().await;
    for name in ["jane", "joe", "bob"] {
        house.user(name).await;
    }
    let names = |answer: crate::house::Answer| -> Vec<String> {
        let list = answer.json.as_array().expect("a list").clone();
        list.iter().map(|one| one["username"].as_str().expect("a name").to_owned()).collect()
    };
    let ask = |line| house.ask(line).by(ADMIN);
    let list = ask("GET /users?sort=username").await.expect(200);
    assert_eq!(list.header("x-total-count"), Some("3"), "without the first administrator, as in Harbor");
    assert_eq!(names(list), ["bob", "jane", "joe"]);
    assert_eq!(names(ask("GET /users?q=username=admin").await.expect(200)), [""; 0]);
    assert_eq!(names(ask("GET /users?q=username%3D~j&sort=-username").await.expect(200)), ["joe", "jane"]);
    assert_eq!(names(ask("GET /users?q=username=bob").await.expect(200)), ["bob"]);
    assert_eq!(names(ask("GET /users?email=JOE").await.expect(200)), ["joe"]);
    let found = house.ask("GET /users/search?username=j").by(JANE).await.expect(200);
    assert_eq!(found.header("x-total-count"), Some("2"));
    assert_eq!(names(found), ["joe", "jane"], "the closest first");
    assert_eq!(names(house.ask("GET /users/search?username=ad").by(JANE).await.expect(200)), ["admin"]);
    house.ask("GET /users/search?username=j").await.refused(401, "UNAUTHORIZED");
    house.ask("GET /users/search").by(JANE).await.refused(422, "UNPROCESSABLE_ENTITY");
}

#[tokio::test]
async fn they_see_themselves_and_what_they_may() {
    let house = House::open().await;
    house.user("jane").await;
    let project = house.project("team", false).await;
    house.member("team", "jane", 3).await;
    let me = house.ask("GET /users/current").by(JANE).await.expect(200);
    assert_eq!(me.json["username"], "jane");
    house.ask("GET /users/current").await.refused(401, "UNAUTHORIZED");
    let scope = format!("GET /users/current/permissions?scope=/project/{project}&relative=true");
    let may = house.ask(&scope).by(JANE).await.expect(200);
    let pull = json!({"resource": "repository", "action": "pull"});
    let push = json!({"resource": "repository", "action": "push"});
    let list = may.json.as_array().expect("a list");
    assert!(list.contains(&pull) && !list.contains(&push), "{list:?}");
    let scope = format!("GET /users/current/permissions?scope=/project/{project}");
    let may = house.ask(&scope).by(JANE).await.expect(200);
    let pull = json!({"resource": format!("/project/{project}/repository"), "action": "pull"});
    assert!(may.json.as_array().expect("a list").contains(&pull));
    house.ask("GET /users/current/permissions").await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn whether_a_name_is_taken_is_for_administrators() {
    let house = House::open().await;
    house.user("jane").await;
    let ask = |form: &str| house.ask("POST /c/userExists").by(ADMIN).form(form);
    assert_eq!(ask("target=username&value=jane").await.expect(200).json, json!(true));
    assert_eq!(ask("target=username&value=nobody").await.expect(200).json, json!(false));
    assert_eq!(ask("target=email&value=jane@example.org").await.expect(200).json, json!(true));
    let form = "target=username&value=jane";
    house.ask("POST /c/userExists").by(JANE).form(form).await.refused(412, "PRECONDITION");
    house.ask("POST /c/userExists").form(form).await.refused(412, "PRECONDITION");
}
