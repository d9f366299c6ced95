//! Repositories.

use berth_domain::ProjectId;
use berth_oci::RepositoryName;

use super::scene::{Scene, act, at, begin, blob, image, somebody, tag};
use crate::{CatalogScope, Expected, FoundRepository, Metadata, Pull};

pub(super) async fn a_repository_is_made_once(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "made-once/deep/er").await;
    let mut tx = scene.begin().await;
    let name = &scene.repository.name;
    let again = tx.ensure_repository(&scene.project, name, &somebody(), at(9)).await.expect("a repository");
    assert_eq!(tx.hold_repository(name).await.expect("an answer").as_ref(), Some(&again));
    let unknown: RepositoryName = "conformance/unknown".parse().expect("a name");
    assert_eq!(tx.hold_repository(&unknown).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    assert_eq!(again, scene.repository);
    assert_eq!(again.project_id, scene.project.id);
    assert_eq!(metadata.repository(name).await.expect("an answer"), Some(again));
    assert_eq!(metadata.repository(&unknown).await.expect("an answer"), None);
}

async fn names(
    metadata: &dyn Metadata,
    scope: &CatalogScope,
    after: Option<&str>,
    limit: u32,
) -> Vec<String> {
    let names = metadata.repositories(scope, after, limit).await.expect("a list");
    names.iter().map(ToString::to_string).collect()
}

pub(super) async fn lists_only_those_with_a_live_manifest(metadata: &dyn Metadata) {
    let scope = CatalogScope::All;
    let full = Scene::within(metadata, "lists", "full").await;
    let _empty = Scene::within(metadata, "lists", "empty").await;
    let only_blobs = Scene::within(metadata, "lists", "blobs").await;
    only_blobs.push_blob("only").await;
    let digest = full.push(&image("c", &[], None, None), &[]).await;
    assert_eq!(
        names(metadata, &scope, Some("lists/"), 10).await.first().map(String::as_str),
        Some("lists/full")
    );
    let listed =
        async || names(metadata, &scope, Some("lists/"), 1000).await.contains(&"lists/full".to_owned());
    let other = full.push(&image("another", &[], None, None), &[]).await;
    full.delete(&other, &act("another of lists", 1)).await;
    assert!(listed().await);
    full.delete(&digest, &act("lists", 1)).await;
    assert!(!listed().await);
    let mut tx = full.begin().await;
    let name = &full.repository.name;
    tx.restore(name, act("lists", 1).id, &somebody(), at(2)).await.expect("a restoration");
    tx.commit().await.expect("a commit");
    assert!(listed().await);
}

pub(super) async fn public_projects_are_listed_with_ones_own(metadata: &dyn Metadata) {
    let mut projects = Vec::new();
    for project in ["seen.open", "seen.mine", "seen.other"] {
        for name in ["b", "a"] {
            let scene = Scene::within(metadata, project, name).await;
            scene.push(&image("c", &[], None, None), &[]).await;
            let mut tx = scene.begin().await;
            tx.set_project_public(scene.project.id, project == "seen.open", at(1)).await.expect("no error");
            tx.commit().await.expect("a commit");
            if name == "a" {
                projects.push(scene.project.id);
            }
        }
        Scene::within(metadata, project, "empty").await;
    }
    let list = async |own: &[ProjectId], after, limit| {
        names(metadata, &CatalogScope::PublicAnd(own.to_vec()), Some(after), limit).await
    };
    assert_eq!(list(&projects[1..2], "seen.", 3).await, ["seen.mine/a", "seen.mine/b", "seen.open/a"]);
    // A project that is both is listed once.
    let both = [projects[0], projects[1]];
    assert_eq!(list(&both, "seen.mine/a", 3).await, ["seen.mine/b", "seen.open/a", "seen.open/b"]);
    assert_eq!(list(&[], "seen.", 2).await, ["seen.open/a", "seen.open/b"]);
    assert_eq!(list(&projects[1..2], "seen.mine/b", 1).await, ["seen.open/a"]);
}

pub(super) async fn nothing_is_counted_in_a_deleted_one(metadata: &dyn Metadata) {
    let scene = Scene::within(metadata, "counted-out", "x").await;
    let blob = blob("blob of a deleted repository");
    scene.push_blob("blob of a deleted repository").await;
    let content = image("c", &[], None, None);
    let digest = scene.push(&content, &["t"]).await;
    let mut tx = scene.begin().await;
    tx.delete_repository(&scene.repository, &act("counted out", 1)).await.expect("a deletion");
    tx.commit().await.expect("a commit");

    let (repository, late) = (&scene.repository, act("too late", 2));
    let mut tx = scene.begin().await;
    assert!(!tx.unlink_blob(repository, &blob.digest, &late).await.expect("an answer"));
    assert_eq!(tx.delete_manifest(repository, &digest, &late).await.expect("an answer"), None);
    let deleted = tx.delete_tag(repository, &tag("t"), &Expected::Anything, &late).await;
    assert_eq!(deleted.expect("an answer"), crate::TagDelete::Absent);
    assert_eq!(tx.lock_links(repository.id, &[blob.digest]).await.expect("an answer"), [None]);
    assert_eq!(tx.lock_blob_users(repository.id, &blob.digest, 1).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    let mut tx = scene.begin().await;
    let linked = tx.link_blob(repository, &blob.digest, blob.size, &somebody(), at(2)).await;
    assert!(matches!(linked, Err(crate::Error::Conflict)), "{linked:?}");
    drop(tx);
    let mut tx = scene.begin().await;
    let pushed = scene.push_in(&mut *tx, &content, &[], 2).await;
    assert!(matches!(pushed, Err(crate::Error::Conflict)), "{pushed:?}");
    drop(tx);
    let mut tx = scene.begin().await;
    let moved = tx.point_tag(repository, &tag("new"), &digest, &Expected::Anything, &somebody(), at(2)).await;
    assert!(matches!(moved, Err(crate::Error::Conflict)), "{moved:?}");
    drop(tx);
    assert_eq!(metadata.project_usage(scene.project.id).await.expect("an answer"), 0);
}

pub(super) async fn lists_by_project(metadata: &dyn Metadata) {
    let mut projects: Vec<ProjectId> = Vec::new();
    for project in ["ordered.b", "ordered", "ordered-b", "ordered.unasked"] {
        for name in ["z", "a/b", "a-b", "a"] {
            let scene = Scene::within(metadata, project, name).await;
            scene.push(&image("c", &[], None, None), &[]).await;
            if name == "z" && project != "ordered.unasked" {
                projects.push(scene.project.id);
            }
        }
    }
    let scope = CatalogScope::Projects(projects);
    let expected = [
        "ordered-b/a",
        "ordered-b/a-b",
        "ordered-b/a/b",
        "ordered-b/z",
        "ordered.b/a",
        "ordered.b/a-b",
        "ordered.b/a/b",
        "ordered.b/z",
        "ordered/a",
        "ordered/a-b",
        "ordered/a/b",
        "ordered/z",
    ];
    assert_eq!(names(metadata, &scope, None, 100).await, expected);
    assert_eq!(names(metadata, &scope, Some("ordered.b/aa"), 3).await, expected[7..10]);
    assert_eq!(names(metadata, &scope, Some("ordered/z"), 3).await, Vec::<String>::new());
    assert_eq!(names(metadata, &CatalogScope::Projects(Vec::new()), None, 3).await, Vec::<String>::new());
    assert_eq!(names(metadata, &CatalogScope::All, Some("ordered-b/z"), 2).await, expected[4..6]);
}

pub(super) async fn a_search_finds_what_may_be_seen(metadata: &dyn Metadata) {
    let mut projects: Vec<ProjectId> = Vec::new();
    for name in ["a/needle", "needle_b", "c"] {
        let scene = Scene::within(metadata, "haystack", name).await;
        let digest = scene.push(&image("c", &[], None, None), &[]).await;
        let pull = Pull { repository: scene.repository.id, digest, count: 3, last_at: at(5) };
        let mut tx = scene.begin().await;
        tx.record_pulls(&[pull]).await.expect("no error");
        tx.commit().await.expect("a commit");
        projects.push(scene.project.id);
    }
    let _empty = Scene::within(metadata, "haystack", "needle-without-manifests").await;
    let open = Scene::within(metadata, "open-haystack", "needle").await;
    open.push(&image("c", &[], None, None), &[]).await;
    let mut tx = open.begin().await;
    tx.set_project_public(open.project.id, true, at(1)).await.expect("no error");
    tx.commit().await.expect("a commit");

    let find = async |scope: CatalogScope, within, after, limit| {
        let found = metadata.find_repositories(&scope, within, after, limit).await.expect("a list");
        found.into_iter().map(|found| found.name.to_string()).collect::<Vec<_>>()
    };
    let closed = ["haystack/a/needle", "haystack/needle_b"];
    let mine = projects[..1].to_vec();
    assert_eq!(find(CatalogScope::Projects(mine.clone()), "NEEDLE", None, 9).await, closed);
    assert_eq!(find(CatalogScope::Projects(mine.clone()), "needle_", None, 9).await, closed[1..]);
    assert_eq!(find(CatalogScope::Projects(mine.clone()), "needle", Some(closed[0]), 9).await, closed[1..]);
    assert_eq!(find(CatalogScope::Projects(mine.clone()), "needle", None, 1).await, closed[..1]);
    assert_eq!(find(CatalogScope::Projects(Vec::new()), "needle", None, 9).await, [""; 0]);
    assert_eq!(find(CatalogScope::PublicAnd(Vec::new()), "needle", None, 9).await, ["open-haystack/needle"]);
    let all = [closed[0], closed[1], "open-haystack/needle"];
    assert_eq!(find(CatalogScope::PublicAnd(mine.clone()), "needle", None, 9).await, all);
    assert_eq!(find(CatalogScope::All, "haystack/", Some("haystack/c"), 9).await, all[1..]);
    assert_eq!(find(CatalogScope::All, "needle\0", None, 9).await, [""; 0]);

    let found = metadata.find_repositories(&CatalogScope::All, "haystack/c", None, 9).await.expect("a list");
    let expected = FoundRepository {
        name: "haystack/c".parse().expect("a name"),
        project: projects[0],
        public: false,
        manifests: 1,
        pulls: 3,
    };
    assert_eq!(found, [expected]);
}

pub(super) async fn deletion_hides_everything_and_restore_brings_it_back(metadata: &dyn Metadata) {
    let scene = Scene::within(metadata, "hidden", "x").await;
    let (name, id) = (&scene.repository.name, scene.repository.id);
    let layer = scene.push_blob("layer of hidden").await;
    let digest = scene.push(&image("c", &["layer of hidden"], None, None), &["v1"]).await;
    let gone = act("hidden", 1);
    let mut tx = begin(metadata).await;
    assert!(tx.delete_repository(&scene.repository, &gone).await.expect("a deletion"));
    assert!(!tx.delete_repository(&scene.repository, &gone).await.expect("an answer"));
    tx.commit().await.expect("a commit");

    assert_eq!(metadata.repository(name).await.expect("an answer"), None);
    assert_eq!(metadata.manifest(id, &digest).await.expect("an answer"), None);
    assert_eq!(scene.manifest_by_tag("v1").await, None);
    assert_eq!(metadata.tag(id, &tag("v1")).await.expect("an answer"), None);
    assert!(scene.tags().await.is_empty());
    assert_eq!(metadata.blob(id, &layer).await.expect("an answer"), None);
    assert!(metadata.blob_holders(&layer, 10).await.expect("a list").is_empty());
    assert!(!names(metadata, &CatalogScope::All, Some("hidden"), 1).await.contains(&name.to_string()));

    // A successor has another number, and keeps the name while it lives.
    let successor = Scene::within(metadata, "hidden", "x").await;
    assert_ne!(successor.repository.id, id);
    assert!(successor.tags().await.is_empty());
    let mut tx = begin(metadata).await;
    let restored = tx.restore(name, gone.id, &somebody(), at(2)).await.expect("a restoration");
    assert_eq!(restored.repositories, 0);
    tx.delete_repository(&successor.repository, &act("successor", 3)).await.expect("a deletion");
    let restored = tx.restore(name, gone.id, &somebody(), at(4)).await.expect("a restoration");
    assert_eq!(restored.repositories, 1);
    tx.commit().await.expect("a commit");

    assert_eq!(metadata.repository(name).await.expect("an answer"), Some(scene.repository.clone()));
    assert_eq!(metadata.tag(id, &tag("v1")).await.expect("an answer"), Some(digest));
    assert_eq!(metadata.blob(id, &layer).await.expect("an answer"), Some(blob("layer of hidden")));
    let mut tx = begin(metadata).await;
    let (name, by) = (tag("v1"), somebody());
    let kept = tx.point_tag(&scene.repository, &name, &digest, &Expected::Anything, &by, at(5)).await;
    assert_eq!(kept.expect("an answer"), crate::TagMove::Unchanged);
}
