//! The database goes away while clients pull.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use berth_access::freshness::REFRESHED;
use berth_domain::{Clock, RoleId};
use berth_metadata::Metadata as _;
use berth_oci::Digest;
use berth_testkit::TestClock;

use crate::house::{House, PASSWORD, Wishes, basic};

/// Too long to stand in the database itself.
const LAYER: &str =
    "a layer that is long enough to have a file of its own beside the database, which is gone";

/// A house with a closed project, an image in it, and a developer.
async fn team(clock: Arc<dyn Clock>) -> House {
    let house = Box::pin(House::with(Wishes { create_on_push: false, clock, ..Wishes::default() })).await;
    let project = house.project("team", false).await;
    let user = house.user("dev").await;
    house.member(project, user, RoleId::DEVELOPER).await;
    house.push_image("team/a", "1", LAYER).await;
    house
}

/// The statuses of everything by which the image is pulled: its manifest by tag and by digest, its layer, and the heads of all three.
async fn pull_in_every_way(house: &House, authorization: &str) -> [u16; 6] {
    let head = house.ask_as(authorization, "HEAD", "/v2/team/a/manifests/1", &[], Body::empty()).await;
    let manifest = format!("/v2/team/a/manifests/{}", head.header("docker-content-digest"));
    let layer = format!("/v2/team/a/blobs/{}", Digest::sha256(LAYER.as_bytes()));
    let mut statuses = [0; 6];
    let paths = ["/v2/team/a/manifests/1", manifest.as_str(), layer.as_str()];
    let asked = ["GET", "HEAD"].into_iter().flat_map(|method| paths.map(|path| (method, path)));
    for ((method, path), status) in asked.zip(&mut statuses) {
        *status = house.ask_as(authorization, method, path, &[], Body::empty()).await.status;
    }
    statuses
}

/// The statuses of a pull of the image: its manifest by tag, its layer whole and by its head.
async fn pull(house: &House, authorization: &str) -> [u16; 3] {
    let layer = format!("/v2/team/a/blobs/{}", Digest::sha256(LAYER.as_bytes()));
    let mut statuses = [0; 3];
    let asked = [("GET", "/v2/team/a/manifests/1"), ("GET", layer.as_str()), ("HEAD", layer.as_str())];
    for ((method, path), status) in asked.into_iter().zip(&mut statuses) {
        *status = house.ask_as(authorization, method, path, &[], Body::empty()).await.status;
    }
    statuses
}

/// How often the database is asked by pulls that come a second time, for a developer of a closed project who shows a token and then
/// a password; `None` if the machine took so long that what is known has to be asked for again.
async fn questions_of_warm_pulls() -> Option<u64> {
    let began = Instant::now();
    let house = team(TestClock::new()).await;
    let dev = basic("dev", PASSWORD);
    let bearer = house.token(&dev, &["repository:team/a:pull"]).await;
    for authorization in [&bearer, &dev] {
        assert_eq!(pull_in_every_way(&house, authorization).await, [200; 6]);
    }
    let cold = house.database.questions();
    assert!(cold > 0, "what was asked is counted");
    for authorization in [&bearer, &dev] {
        assert_eq!(pull_in_every_way(&house, authorization).await, [200; 6]);
    }
    let warm = house.database.questions() - cold;
    (began.elapsed() < REFRESHED).then_some(warm)
}

#[tokio::test]
async fn pulls_that_are_warm_ask_the_database_nothing() {
    let warm = loop {
        if let Some(warm) = Box::pin(questions_of_warm_pulls()).await {
            break warm;
        }
    };
    assert_eq!(warm, 0);
}

#[tokio::test]
async fn pulls_that_are_warm_need_no_database() {
    let house = team(TestClock::new()).await;
    let dev = basic("dev", PASSWORD);
    let bearer = house.token(&dev, &["repository:team/a:pull"]).await;
    for authorization in [&bearer, &dev] {
        assert_eq!(pull(&house, authorization).await, [200; 3]);
    }
    house.database.close().await;
    for authorization in [&bearer, &dev] {
        assert_eq!(pull(&house, authorization).await, [200; 3]);
    }
}

#[tokio::test]
async fn pulls_go_on_for_a_minute_without_the_database_and_all_else_is_told_to_wait() {
    let clock = TestClock::new();
    let house = team(Arc::<TestClock>::clone(&clock)).await;
    let dev = basic("dev", PASSWORD);
    let bearer = house.token(&dev, &["repository:team/a:pull,push", "registry:catalog:*"]).await;
    assert_eq!(pull(&house, &bearer).await, [200; 3]);
    house.database.close().await;

    for passed in [0, 4, 30, 25] {
        clock.advance(Duration::from_secs(passed));
        assert_eq!(pull(&house, &bearer).await, [200; 3], "{passed} seconds later");
    }
    let digest = Digest::sha256(b"");
    for (method, path) in [
        ("POST", "/v2/team/a/blobs/uploads/".to_owned()),
        ("PUT", "/v2/team/a/manifests/2".to_owned()),
        ("DELETE", format!("/v2/team/a/manifests/{digest}")),
        ("GET", "/v2/_catalog".to_owned()),
        ("GET", "/v2/library/a/manifests/1".to_owned()),
    ] {
        let answer = house.ask_as(&bearer, method, &path, &[], Body::empty()).await;
        answer.expect(503, "UNAVAILABLE");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1, "{method} {path}");
    }
    let token = "/service/token?service=harbor-registry&scope=repository:team/a:pull";
    house.ask_as(&dev, "GET", token, &[], Body::empty()).await.expect(503, "UNAVAILABLE");
    let unseen = basic("dev", "An0ther password");
    house.ask_as(&unseen, "GET", "/v2/", &[], Body::empty()).await.expect(503, "UNAVAILABLE");

    clock.advance(Duration::from_secs(2));
    assert_eq!(pull(&house, &bearer).await, [503; 3], "nothing is believed for longer than a minute");
}

#[tokio::test]
async fn a_robot_that_ends_soon_is_reminded_whatever_it_shows() {
    let house = House::with(Wishes { create_on_push: false, ..Wishes::default() }).await;
    let project = house.project("team", false).await;
    house.push_image("team/a", "1", LAYER).await;
    let scope = ["repository:team/a:pull"];
    let reminded = async |authorization: &str, path: &str| {
        let answer = house.ask_as(authorization, "GET", path, &[], Body::empty()).await;
        assert_eq!(answer.status, 200);
        answer.has("warning").then(|| answer.header("warning").to_owned())
    };
    let (soon, later) =
        (house.robot(("team", project), "soon", 7).await, house.robot(("team", project), "later", 30).await);
    let manifest = "/v2/team/a/manifests/1";
    for authorization in [&soon, &house.token(&soon, &scope).await] {
        let warning = reminded(authorization, manifest).await.expect("a reminder");
        assert!(warning.starts_with("299 - ") && warning.contains("expires in"), "{warning}");
    }
    let token = "/service/token?service=harbor-registry&scope=repository:team/a:pull";
    assert!(reminded(&soon, token).await.is_some());
    for authorization in [&later, &house.token(&later, &scope).await] {
        assert_eq!(reminded(authorization, manifest).await, None);
    }
}
