//! Projects that a push makes, where pushes may: they are made as if whoever pushes had asked for them.

use axum::body::Body;
use berth_domain::{
    Action, Actor, Clock as _, PermissionSet, ProjectMetadataKey, Resource, RobotGrant, RobotScope, RoleId,
    SystemClock, UserId,
};
use berth_metadata::project_page::ProjectPage;
use berth_oci::Digest;
use serde_json::json;

use crate::house::{Answer, House, OCI_INDEX, OCI_MANIFEST, PASSWORD, basic, image, with};

/// Pushes an image as clients do: one blob in chunks, one with one request, a manifest.
async fn push_as(house: &House, who: &str, repository: &str) {
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        ask(house, who, (method, path), headers, body, status).await
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

type Fields<'a> = &'a [(&'a str, &'a str)];

/// Asks, and checks the status.
async fn ask(
    house: &House,
    who: &str,
    (method, path): (&str, &str),
    headers: Fields<'_>,
    body: &str,
    status: u16,
) -> Answer {
    let answer = house.ask_as(who, method, path, headers, body.to_owned()).await;
    assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    answer
}

async fn is_there(house: &House, project: &str) -> bool {
    let found = house.metadata.project(&project.parse().expect("a name")).await;
    found.expect("an answer").is_some()
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
        let (path, digest) = (format!("/v2/contested-{round}/a/blobs/uploads/"), Digest::sha256(b"layer"));
        let whole = with(&path, &format!("digest={digest}"));
        let push = async |who: &str| house.ask_as(who, "POST", &whole, &[], "layer").await.status;
        let answers = futures::join!(push(&logins[0]), push(&logins[1]));
        let owner = page(&house, &format!("contested-{round}"), None).await.owner;
        let expected = if owner == ids[0] { (201, 403) } else { (403, 201) };
        assert_eq!(answers, expected, "round {round}, made by {owner:?}");
        // Nor does one go on that began when there was none.
        let slower = &logins[usize::from(owner == ids[0])];
        house.ask_as(slower, "POST", &path, &[], Body::empty()).await.expect(403, "DENIED");
    }
}

#[tokio::test]
async fn a_push_that_is_refused_makes_no_project() {
    let house = House::open().await;
    house.user("jane").await;
    let jane = basic("jane", PASSWORD);
    push_as(&house, &jane, "there/a").await;
    let (layer, other) = (Digest::sha256(b"layer"), Digest::sha256(b"other"));
    let uploads = "/v2/refused/a/blobs/uploads/";
    let missing = json!({ "mediaType": "application/x.config", "digest": other, "size": 5 });
    let empty = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }).to_string();
    let (image_type, index_type) = (("content-type", OCI_MANIFEST), ("content-type", OCI_INDEX));
    let manifest = "/v2/refused/a/manifests/1";
    let requests: &[(&str, String, Fields<'_>, &str, u16)] = &[
        ("POST", uploads.to_owned(), &[], "", 202),
        ("POST", format!("{uploads}?digest={other}"), &[], "layer", 400),
        ("POST", format!("{uploads}?mount={other}&from=there/a"), &[], "", 202),
        ("POST", format!("{uploads}?mount={other}"), &[], "", 202),
        ("PUT", manifest.to_owned(), &[image_type], &image(&[&missing], None), 400),
        ("PUT", manifest.to_owned(), &[image_type], "{", 400),
        ("PUT", manifest.to_owned(), &[index_type, ("if-match", "*")], &empty, 412),
        ("PUT", manifest.to_owned(), &[index_type, ("if-match", &other.to_string())], &empty, 412),
    ];
    for (method, path, headers, body, status) in requests {
        ask(&house, &jane, (method, path), headers, body, *status).await;
        assert!(!is_there(&house, "refused").await, "{method} {path}");
    }
    // What is put right goes on where it was.
    let started = ask(&house, &jane, ("POST", uploads), &[], "", 202).await;
    let appended = ask(&house, &jane, ("PATCH", started.header("location")), &[], "layer", 202).await;
    let close = |digest| with(appended.header("location"), &format!("digest={digest}"));
    ask(&house, &jane, ("PUT", &close(other)), &[], "", 400).await;
    assert!(!is_there(&house, "refused").await);
    ask(&house, &jane, ("PUT", &close(layer)), &[], "", 201).await;
    assert!(is_there(&house, "refused").await);
    // What lands makes it, however it comes.
    let mount = format!("/v2/mounted/a/blobs/uploads/?mount={layer}&from=there/a");
    ask(&house, &jane, ("POST", &mount), &[], "", 201).await;
    ask(&house, &jane, ("PUT", "/v2/indexed/a/manifests/1"), &[index_type], &empty, 201).await;
    assert!(is_there(&house, "mounted").await && is_there(&house, "indexed").await);
}

#[tokio::test]
async fn an_upload_into_nothing_ends_when_somebody_else_makes_the_project() {
    let house = House::open().await;
    for name in ["jane", "otto"] {
        house.user(name).await;
    }
    let [jane, otto] = ["jane", "otto"].map(|name| basic(name, PASSWORD));
    let path = "/v2/overtaken/a/blobs/uploads/";
    let started = ask(&house, &otto, ("POST", path), &[], "", 202).await;
    let appended = ask(&house, &otto, ("PATCH", started.header("location")), &[], "layer", 202).await;
    push_as(&house, &jane, "overtaken/a").await;
    let close = with(appended.header("location"), &format!("digest={}", Digest::sha256(b"layer")));
    ask(&house, &otto, ("PUT", &close), &[], "", 403).await;
}

#[tokio::test]
async fn an_upload_makes_no_project_in_the_place_of_one_that_went() {
    let house = House::open().await;
    let admin = basic("admin", PASSWORD);
    let project = house.project("gone", false).await;
    let start = ("POST", "/v2/gone/a/blobs/uploads/");
    let untouched = ask(&house, &admin, start, &[], "", 202).await;
    let begun = ask(&house, &admin, start, &[], "", 202).await;
    let begun = ask(&house, &admin, ("PATCH", begun.header("location")), &[], "layer", 202).await;
    let mut tx = house.metadata.begin().await.expect("a transaction");
    tx.delete_empty_project(project, &Actor::system(), SystemClock.now()).await.expect("an answer");
    tx.commit().await.expect("a commit");
    for (upload, rest) in [(untouched, "layer"), (begun, "")] {
        let close = with(upload.header("location"), &format!("digest={}", Digest::sha256(b"layer")));
        ask(&house, &admin, ("PUT", &close), &[], rest, 404).await;
        assert!(!is_there(&house, "gone").await, "{close}");
    }
}
