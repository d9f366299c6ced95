//! Projects that a push makes, where pushes may: they are made as if whoever pushes had asked for them.

use axum::body::Body;
use berth_domain::{
    Action, PermissionSet, ProjectMetadataKey, Resource, RobotGrant, RobotScope, RoleId, UserId,
};
use berth_metadata::project_page::ProjectPage;
use berth_oci::Digest;
use serde_json::json;

use crate::house::{House, OCI_MANIFEST, PASSWORD, basic, image, with};

/// Pushes an image as clients do: one blob in chunks, one with one request, a manifest.
async fn push_as(house: &House, who: &str, repository: &str) {
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        let answer = house.ask_as(who, method, path, headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        answer
    };
    let start = format!("/v2/{repository}/blobs/uploads/");
    let layer = Digest::sha256(b"layer");
    let started = ask("POST", &start, &[], "", 202).await;
    let appended = ask("PATCH", started.header("location"), &[], "layer", 202).await;
    let close = with(appended.header("location"), &format!("digest={layer}"));
    ask("PUT", &close, &[], "", 201).await;
    let config = Digest::sha256(b"{}");
    ask("POST", &format!("{start}?digest={config}"), &[], "{}", 201).await;
    let config =
        json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 });
    let layer = json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5 });
    let (path, kind) = (format!("/v2/{repository}/manifests/1"), [("content-type", OCI_MANIFEST)]);
    ask("PUT", &path, &kind, &image(&[&config, &layer], None), 201).await;
    ask("GET", &path, &[], "", 200).await;
}

async fn page(house: &House, project: &str, viewer: Option<UserId>) -> ProjectPage {
    let found = house.metadata.project(&project.parse().expect("a name")).await.expect("an answer");
    let page = house.metadata.project_page(found.expect("a project").id, viewer).await;
    page.expect("an answer").expect("a page")
}

#[tokio::test]
async fn whoever_pushes_into_nothing_owns_what_that_makes() {
    let house = House::open().await;
    let id = house.user("jane").await;
    house.user("stranger").await;
    let jane = basic("jane", PASSWORD);
    let scope = "repository:by-token/a:pull,push,delete";
    let token = house.token(&jane, &[scope]).await;
    for (project, who) in [("by-password", &jane), ("by-token", &token)] {
        push_as(&house, who, &format!("{project}/a")).await;
        let page = page(&house, project, Some(id)).await;
        assert_eq!((page.owner, &*page.owner_name, page.project.public), (id, "jane", false));
        assert_eq!((page.roles, page.storage_limit), (vec![RoleId::PROJECT_ADMIN], None));
        assert_eq!(page.metadata, Vec::<(ProjectMetadataKey, String)>::new());
        let path = format!("/v2/{project}/a/manifests/1");
        let stranger = basic("stranger", PASSWORD);
        house.ask_as(&stranger, "GET", &path, &[], Body::empty()).await.expect(403, "DENIED");
        assert_eq!(house.ask_as(who, "DELETE", &path, &[], Body::empty()).await.status, 202);
    }
}

#[tokio::test]
async fn what_a_robots_push_makes_is_the_first_administrators() {
    let house = House::open().await;
    let (resource, actions) = (Resource::Repository, [Action::Pull, Action::Push]);
    let access = PermissionSet::on_one(resource, &actions);
    let robot = house.system_robot("ci", RobotGrant { scope: RobotScope::AllProjects, access }).await;
    push_as(&house, &robot, "built/a").await;
    let page = page(&house, "built", Some(UserId::ADMIN)).await;
    assert_eq!((page.owner, page.roles), (UserId::ADMIN, vec![RoleId::PROJECT_ADMIN]));
    assert!(!page.project.public);
}

#[tokio::test]
async fn of_two_who_push_into_nothing_at_once_the_faster_owns_it() {
    let house = House::open().await;
    let ids = [house.user("jane").await, house.user("june").await];
    let logins = [basic("jane", PASSWORD), basic("june", PASSWORD)];
    for round in 0..8 {
        let path = format!("/v2/contested-{round}/a/blobs/uploads/");
        let start = async |who: &str| house.ask_as(who, "POST", &path, &[], Body::empty()).await.status;
        let answers = futures::join!(start(&logins[0]), start(&logins[1]));
        let owner = page(&house, &format!("contested-{round}"), None).await.owner;
        let expected = if owner == ids[0] { (202, 403) } else { (403, 202) };
        assert_eq!(answers, expected, "round {round}, made by {owner:?}");
    }
}
