//! What the installation says of itself.

use serde_json::json;

use crate::house::{ADMIN, House, PASSWORD};

#[tokio::test]
async fn health_names_components() {
    let house = House::open().await;
    let health = house.ask("GET /health").await.expect(200);
    assert_eq!(health.json["status"], "healthy");
    assert!(
        health.json["components"].as_array().expect("a list").iter().any(|one| one["name"] == "database")
    );
}

#[tokio::test]
async fn strangers_are_told_little() {
    let house = House::open().await;
    let little = house.ask("GET /systeminfo").await.expect(200);
    assert_eq!(little.json["auth_mode"], "db_auth");
    assert_eq!(little.json["self_registration"], false);
    assert_eq!(
        (&little.json["banner_message"], &little.json["oidc_provider_name"]),
        (&json!(""), &json!(""))
    );
    for more in ["harbor_version", "external_url", "registry_url", "current_time"] {
        assert_eq!(little.json.get(more), None, "{more}");
    }
    let much = house.ask("GET /systeminfo").header("host", "berth.example:8443").by(ADMIN).await.expect(200);
    assert_eq!(much.json["registry_url"], "berth.example:8443");
    let version = much.json["harbor_version"].as_str().expect("a version");
    // As clients read it: what stands before the first hyphen, without its first letter.
    let numbers: Vec<u32> = version.split('-').next().expect("a part")[1..]
        .split('.')
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert!(numbers.len() == 3 && numbers[..] >= [2, 2, 0][..], "robots' API came with 2.2.0: {version}");
    assert_eq!(version.split('-').count(), 2, "{version}");
    assert_eq!(much.json["read_only"], false);
    assert_eq!(much.json["project_creation_restriction"], "everyone");
}

#[tokio::test]
async fn what_is_set_is_told_to_system_administrators_and_not_changed() {
    let house = House::open().await;
    house.user("jane").await;
    let set = house.ask("GET /configurations").by(ADMIN).await.expect(200);
    for (name, value) in [
        ("auth_mode", json!("db_auth")),
        ("robot_name_prefix", json!("robot$")),
        ("robot_token_duration", json!(30)),
        ("token_expiration", json!(30)),
        ("session_timeout", json!(60)),
        ("project_creation_restriction", json!("everyone")),
        ("quota_per_project_enable", json!(false)),
    ] {
        assert_eq!(set.json[name], json!({"value": value, "editable": false}), "{name}");
    }
    house.ask("GET /configurations").by(("jane", PASSWORD)).await.refused(403, "FORBIDDEN");
    house.ask("GET /configurations").await.refused(401, "UNAUTHORIZED");
    let put = house.ask("PUT /configurations").by(ADMIN).json(&json!({"read_only": true})).await;
    assert_eq!(put.expect(405).header("allow"), Some("GET"));
}
