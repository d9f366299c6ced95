//! User groups.

use serde_json::json;

use crate::house::{ADMIN, House, PASSWORD};

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_them() {
    let house = House::open().await;
    let body = json!({"group_name": "developers", "group_type": 3});
    let made = house.ask("POST /usergroups").by(ADMIN).json(&body).await.expect(201);
    assert!(made.text.is_empty());
    let id = made.made();
    assert_eq!(made.header("location"), Some(&*format!("/api/v2.0/usergroups/{id}")));
    let path = format!("/usergroups/{id}");
    let group = house.ask(&format!("GET {path}")).by(ADMIN).await.expect(200);
    assert_eq!((&group.json["group_name"], &group.json["group_type"]), (&json!("developers"), &json!(3)));
    let renamed = json!({"group_name": "builders"});
    house.ask(&format!("PUT {path}")).by(ADMIN).json(&renamed).await.expect(200);
    let list = house.ask("GET /usergroups?group_name=BUILD").by(ADMIN).await.expect(200);
    assert_eq!(list.json[0]["group_name"], "builders");
    house.ask(&format!("DELETE {path}")).by(ADMIN).await.expect(200);
    house.ask(&format!("GET {path}")).by(ADMIN).await.refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn groups_that_cannot_be() {
    let house = House::open().await;
    let post = |body| house.ask("POST /usergroups").by(ADMIN).json(&body);
    post(json!({"group_name": "developers", "group_type": 3})).await.expect(201);
    let taken = post(json!({"group_name": "developers", "group_type": 3})).await.refused(409, "CONFLICT");
    assert_eq!(taken.words(), "group developers already exists");
    let directory = |name| json!({"group_name": name, "group_type": 1, "ldap_group_dn": "cn=builders"});
    post(directory("builders")).await.expect(201);
    let taken = post(directory("makers")).await.refused(409, "CONFLICT");
    assert!(
        taken.words().contains("or the ldap_group_dn of makers"),
        "there is no makers: {}",
        taken.words()
    );
    let name = "group_name must be 1 to 255 bytes long, without control or invisible characters";
    let directory = "ldap_group_dn must be given for an LDAP group, at most 512 bytes long";
    for (body, words) in [
        (json!({"group_type": 3}), name),
        (json!({"group_name": "", "group_type": 3}), name),
        (json!({"group_name": "a\tb", "group_type": 3}), name),
        (json!({"group_name": "develop\u{200d}ers", "group_type": 3}), name),
        (json!({"group_name": "g".repeat(256), "group_type": 3}), name),
        (json!({"group_name": "x", "group_type": 4}), "group_type must be 1 (LDAP), 2 (HTTP) or 3 (OIDC)"),
        (json!({"group_name": "x", "group_type": 1}), directory),
        (json!({"group_name": "x", "group_type": 1, "ldap_group_dn": "d".repeat(513)}), directory),
    ] {
        let refused = post(body).await.refused(400, "BAD_REQUEST");
        assert!(refused.words().contains(words), "{}", refused.words());
    }
    let longest = json!({"group_name": "g".repeat(255), "group_type": 1, "ldap_group_dn": "d".repeat(512)});
    let id = post(longest).await.expect(201).made();
    let rename = json!({"group_name": "g".repeat(256)});
    let refused = house.ask(&format!("PUT /usergroups/{id}")).by(ADMIN).json(&rename).await;
    assert_eq!(refused.refused(400, "BAD_REQUEST").words(), name);
    house
        .ask("PUT /usergroups/4711")
        .by(ADMIN)
        .json(&json!({"group_name": "x"}))
        .await
        .refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn everybody_with_an_account_may_search_them_and_no_more() {
    let house = House::open().await;
    house.user("jane").await;
    let jane = ("jane", PASSWORD);
    let body = json!({"group_name": "developers", "group_type": 3});
    house.ask("POST /usergroups").by(ADMIN).json(&body).await.expect(201);
    let found = house.ask("GET /usergroups/search?groupname=dev").by(jane).await.expect(200);
    assert_eq!(found.json[0]["group_name"], "developers");
    house.ask("GET /usergroups/search?groupname=dev").await.refused(401, "UNAUTHORIZED");
    house.ask("GET /usergroups").by(jane).await.refused(403, "FORBIDDEN");
    house.ask("POST /usergroups").by(jane).json(&body).await.refused(403, "FORBIDDEN");
    house.ask("DELETE /usergroups/1").by(jane).await.refused(403, "FORBIDDEN");
}
