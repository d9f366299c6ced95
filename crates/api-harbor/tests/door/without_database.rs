//! The database goes away: who is known stays known for a moment, and everybody is told to wait.

use berth_metadata::Metadata as _;
use serde_json::json;

use crate::house::{ADMIN, House, PASSWORD};

#[tokio::test]
async fn everybody_is_told_to_wait() {
    let house = House::open().await;
    house.user("jane").await;
    house.project("team", true).await;
    let form = format!("principal=admin&password={}", PASSWORD.replace(' ', "+"));
    let session = house.ask("POST /c/login").form(&form).await.expect(200);
    let cookie = session.header("set-cookie").expect("a session").split(';').next().expect("it").to_owned();
    for by in [ADMIN, ("jane", PASSWORD)] {
        house.ask("GET /projects").by(by).await.expect(200);
    }
    house.ask("GET /projects").header("cookie", &cookie).await.expect(200);
    house.database.close().await;

    for line in ["GET /projects", "GET /projects/team", "GET /users/current", "GET /search?q=t"] {
        for by in [ADMIN, ("jane", PASSWORD), ("nobody", PASSWORD)] {
            let told = house.ask(line).by(by).await.refused(503, "UNKNOWN");
            assert!(told.words().contains("try again"), "{line}: {}", told.words());
        }
        house.ask(line).header("cookie", &cookie).await.refused(503, "UNKNOWN");
    }
    let body = json!({"project_name": "made"});
    house.ask("POST /projects").by(ADMIN).json(&body).await.refused(503, "UNKNOWN");
    house.ask("POST /c/login").form(&form).await.refused(503, "UNKNOWN");
    house.ask("GET /ping").await.expect(200);
    let health = house.ask("GET /health").await.expect(200);
    assert_eq!(health.json["status"], "unhealthy");
}
