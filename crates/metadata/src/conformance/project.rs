//! Projects.

use berth_domain::{MemberEntity, ProjectId, RobotLevel, RoleId, UserId};
use berth_oci::RepositoryName;

use super::access::{added, named, new_robot, project_of, user};
use super::scene::{Scene, act, at, begin, blob, image, lost, somebody};
use crate::{Added, Metadata};

pub(super) async fn library_is_there(metadata: &dyn Metadata) {
    metadata.check().await.expect("the database answers");
    let library = metadata.project(&"library".parse().expect("a name")).await.expect("an answer");
    let library = library.expect("the first migration brings it");
    assert_eq!(library.id, ProjectId(1));
    assert!(library.public);
    assert_eq!(metadata.project(&"unknown".parse().expect("a name")).await.expect("an answer"), None);
}

pub(super) async fn a_project_is_made_once(metadata: &dyn Metadata) {
    let (name, library) = (named("made-once"), named("library"));
    let mut tx = begin(metadata).await;
    assert_eq!(tx.find_project(&name).await.expect("an answer"), None);
    let (owner, by) = (UserId::ADMIN, somebody());
    let id = added(tx.add_project(&name, false, owner, None, &by, at(5)).await.expect("an answer"));
    let made = tx.find_project(&name).await.expect("an answer").expect("a project");
    for taken in [&name, &library] {
        let again = tx.add_project(taken, true, owner, None, &by, at(6)).await;
        assert_eq!(again.expect("an answer"), Added::Exists);
    }
    tx.commit().await.expect("a commit");
    assert_eq!((made.id, made.public, made.created_at), (id, false, at(5)));
    assert_eq!(metadata.project(&name).await.expect("an answer"), Some(made));
}

pub(super) async fn usage_counts_each_digest_once(metadata: &dyn Metadata) {
    let first = Scene::within(metadata, "usage", "first").await;
    let second = Scene::within(metadata, "usage", "second").await;
    let other = Scene::within(metadata, "usage-of-another", "x").await;
    let usage = async || metadata.project_usage(first.project.id).await.expect("a sum");
    assert_eq!(usage().await, 0);

    let digest = first.push_blob("0123456789").await;
    second.push_blob("0123456789").await;
    other.push_blob("0123456789").await;
    first.push_blob("0123456789").await;
    second.push_blob("abc").await;
    assert_eq!(usage().await, 13);

    assert!(first.unlink(&digest, &act("usage 1", 1)).await);
    assert_eq!(usage().await, 13);
    assert!(second.unlink(&digest, &act("usage 2", 2)).await);
    assert_eq!(usage().await, 3);

    let mut tx = begin(metadata).await;
    assert_eq!(
        tx.restore(&first.repository.name, act("usage 1", 1).id, &somebody(), at(3))
            .await
            .expect("a restoration")
            .links,
        1
    );
    tx.commit().await.expect("a commit");
    assert_eq!(usage().await, 13);

    let mut tx = begin(metadata).await;
    assert!(tx.delete_repository(&first.repository, &act("usage 3", 4)).await.expect("a deletion"));
    tx.commit().await.expect("a commit");
    assert_eq!(usage().await, 3);
    let mut tx = begin(metadata).await;
    tx.restore(&first.repository.name, act("usage 3", 4).id, &somebody(), at(5))
        .await
        .expect("a restoration");
    tx.commit().await.expect("a commit");
    assert_eq!(usage().await, 13);
    assert_eq!(metadata.project_usage(other.project.id).await.expect("a sum"), 10);
}

pub(super) async fn names_and_numbers_are_looked_up_together(metadata: &dyn Metadata) {
    let owner = user(metadata, "looking up").await;
    let one = project_of(metadata, "looked-up-1", false, owner).await;
    let two = project_of(metadata, "looked-up-2", true, owner).await;
    let gone = project_of(metadata, "looked-up-3", true, owner).await;
    let mut tx = begin(metadata).await;
    let deleted = tx.delete_empty_project(gone, &somebody(), at(2)).await.expect("an answer");
    assert_eq!(deleted, Some(Vec::new()));
    tx.commit().await.expect("a commit");
    let ids = [two, one, gone, ProjectId(i64::MAX), one];
    let mut names = metadata.project_names(&ids).await.expect("names");
    names.sort_unstable();
    assert_eq!(names, [(one, named("looked-up-1")), (two, named("looked-up-2"))]);
    let wanted = ["looked-up-1", "looked-up-2", "looked-up-3", "looked-up-4"].map(named);
    let mut projects = metadata.projects_named(&wanted).await.expect("projects");
    projects.sort_unstable_by_key(|project| project.id);
    let found: Vec<_> = projects.iter().map(|project| (project.id, project.public)).collect();
    assert_eq!(found, [(one, false), (two, true)]);
    assert_eq!(metadata.project_names(&[]).await.expect("names"), []);
    assert_eq!(metadata.projects_named(&[]).await.expect("projects"), []);
}

/// Deletes a project, whatever it races with. The repositories that went with it.
async fn delete(metadata: &dyn Metadata, id: ProjectId, n: i64) -> Option<Vec<RepositoryName>> {
    loop {
        let mut tx = begin(metadata).await;
        let Some(gone) = lost(tx.delete_empty_project(id, &somebody(), at(n)).await) else { continue };
        if lost(tx.commit().await).is_some() {
            return gone;
        }
    }
}

pub(super) async fn only_an_empty_project_goes(metadata: &dyn Metadata) {
    let owner = user(metadata, "deleting").await;
    let id = project_of(metadata, "doomed", false, owner).await;
    let scene = Scene::within(metadata, "doomed", "x").await;
    let (project, repository, name) = (&scene.project, &scene.repository, &scene.repository.name);
    scene.push(&image("c", &[], None, None), &["1"]).await;
    let mut tx = begin(metadata).await;
    let robot = new_robot("doomed", RobotLevel::Project(id));
    let robot = added(tx.add_robot(&robot, at(2)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(delete(metadata, id, 5).await, None);
    let mut tx = begin(metadata).await;
    let gone = act("doomed", 3);
    assert!(tx.delete_repository(repository, &gone).await.expect("a deletion"));
    tx.commit().await.expect("a commit");
    assert_eq!(delete(metadata, id, 5).await, Some(Vec::new()));
    assert_eq!(delete(metadata, id, 5).await, None);

    assert_eq!(metadata.project(&named("doomed")).await.expect("an answer"), None);
    assert_eq!(metadata.project_by_id(id).await.expect("an answer"), None);
    assert_eq!(metadata.robot(robot).await.expect("an answer"), None);
    assert_eq!(metadata.roles_of(owner, id).await.expect("roles"), []);
    let mut tx = begin(metadata).await;
    let restored = tx.restore(name, gone.id, &somebody(), at(6)).await.expect("an answer");
    assert_eq!(restored.repositories, 0, "its project is gone");
    drop(tx);
    assert!(project_of(metadata, "doomed", false, owner).await > id);
    let mut tx = begin(metadata).await;
    let orphan = tx.ensure_repository(project, name, &somebody(), at(7)).await;
    assert!(lost(orphan).is_none(), "a repository of a deleted project");
}

pub(super) async fn repositories_without_a_manifest_go_with_their_project(metadata: &dyn Metadata) {
    let emptied = Scene::within(metadata, "emptied", "had-one").await;
    let only_blobs = Scene::within(metadata, "emptied", "blobs").await;
    let (id, project) = (emptied.project.id, named("emptied"));
    for scene in [&emptied, &only_blobs] {
        scene.push_blob("blob of an emptied project").await;
    }
    let digest = emptied.push(&image("c", &[], None, None), &["1"]).await;
    let count = async || {
        let page = metadata.project_page(id, None).await.expect("an answer");
        page.map(|page| page.repositories)
    };
    assert_eq!((count().await, delete(metadata, id, 4).await), (Some(1), None));
    assert!(emptied.delete(&digest, &act("emptied", 3)).await.is_some());
    assert_eq!(count().await, Some(0));
    assert!(metadata.project_usage(id).await.expect("a sum") > 0);

    let names = [&only_blobs, &emptied].map(|scene| scene.repository.name.clone());
    assert_eq!(delete(metadata, id, 4).await.as_deref(), Some(&names[..]));
    assert_eq!(metadata.project_usage(id).await.expect("a sum"), 0);
    let blob = blob("blob of an emptied project");
    assert!(metadata.blob_holders(&blob.digest, 10).await.expect("a list").is_empty());
    for Scene { repository, .. } in [&emptied, &only_blobs] {
        assert_eq!(metadata.repository(&repository.name).await.expect("an answer"), None);
        let mut tx = begin(metadata).await;
        let late = tx.link_blob(repository, &blob.digest, blob.size, &somebody(), at(5)).await;
        assert!(lost(late).is_none(), "a blob of a deleted project");
    }
    let successor = Scene::within(metadata, "emptied", "blobs").await;
    assert!(successor.project.id > id && successor.repository.id != only_blobs.repository.id);
    assert_eq!(metadata.project(&project).await.expect("an answer"), Some(successor.project));
}

pub(super) async fn a_push_or_the_deletion_wins(metadata: &dyn Metadata) {
    let owner = user(metadata, "racing").await;
    for round in 0..12 {
        let name = format!("contested-{round}");
        let id = project_of(metadata, &name, false, owner).await;
        let project = metadata.project_by_id(id).await.expect("an answer").expect("a project");
        if round % 3 > 0 {
            // It is there without a manifest when the two begin.
            Scene::within(metadata, &name, "x").await;
        }
        let name = format!("{name}/x").parse().expect("a name");
        let push = async {
            let mut tx = begin(metadata).await;
            let repository = lost(tx.ensure_repository(&project, &name, &somebody(), at(2)).await)?;
            let scene = Scene { metadata, project: project.clone(), repository };
            lost(scene.push_in(&mut *tx, &image("c", &[], None, None), &["1"], 2).await)?;
            lost(tx.commit().await)
        };
        let delete = async {
            let mut tx = begin(metadata).await;
            let deleted = lost(tx.delete_empty_project(id, &somebody(), at(3)).await)?;
            lost(tx.commit().await).and(deleted)
        };
        let (pushed, deleted) = if round % 2 == 0 {
            futures::future::join(push, delete).await
        } else {
            let (deleted, pushed) = futures::future::join(delete, push).await;
            (pushed, deleted)
        };
        assert!(pushed.is_none() || deleted.is_none(), "round {round}");
        let lives = metadata.project_by_id(id).await.expect("an answer").is_some();
        assert_eq!(lives, deleted.is_none(), "round {round}");
        let entity = MemberEntity::User(owner);
        let mut tx = begin(metadata).await;
        let member = lost(tx.add_member(id, entity, RoleId::GUEST, at(4)).await);
        assert_eq!(member, lives.then_some(Added::Exists), "round {round}");
    }
}

pub(super) async fn a_restoration_or_the_deletion_wins(metadata: &dyn Metadata) {
    for round in 0..8 {
        let scene = Scene::within(metadata, &format!("restored-{round}"), "x").await;
        let (id, name) = (scene.project.id, &scene.repository.name);
        scene.push(&image("c", &[], None, None), &["1"]).await;
        let gone = act(&format!("restored {round}"), 1);
        let mut tx = begin(metadata).await;
        assert!(tx.delete_repository(&scene.repository, &gone).await.expect("a deletion"));
        tx.commit().await.expect("a commit");
        let restore = async {
            loop {
                let mut tx = begin(metadata).await;
                let restored = lost(tx.restore(name, gone.id, &somebody(), at(2)).await);
                let Some(restored) = restored else { continue };
                if lost(tx.commit().await).is_some() {
                    return restored.repositories;
                }
            }
        };
        let (restored, deleted) = if round % 2 == 0 {
            futures::future::join(restore, delete(metadata, id, 3)).await
        } else {
            let (deleted, restored) = futures::future::join(delete(metadata, id, 3), restore).await;
            (restored, deleted)
        };
        assert_eq!(restored == 1, deleted.is_none(), "round {round}: {restored}, {deleted:?}");
        let lives = metadata.repository(name).await.expect("an answer").is_some();
        assert_eq!(lives, restored == 1, "round {round}");
    }
}
