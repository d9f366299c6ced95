//! Projects.

use berth_domain::{ProjectId, UserId};

use super::access::{added, named};
use super::scene::{Scene, act, at, begin, somebody};
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
