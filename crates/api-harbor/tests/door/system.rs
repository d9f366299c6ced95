//! What the installation says of itself.

use crate::house::{ADMIN, House};

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
    for more in ["harbor_version", "external_url", "registry_url", "current_time"] {
        assert_eq!(little.json.get(more), None, "{more}");
    }
    let much = house.ask("GET /systeminfo").header("host", "berth.example:8443").by(ADMIN).await.expect(200);
    assert_eq!(much.json["registry_url"], "berth.example:8443");
    assert!(much.json["harbor_version"].as_str().expect("a version").starts_with('v'));
    assert_eq!(much.json["read_only"], false);
    assert_eq!(much.json["project_creation_restriction"], "everyone");
}
