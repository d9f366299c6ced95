//! Transactions: all or nothing, and only after the commit.

use berth_oci::Digest;

use super::scene::{Scene, act, at, blob, image, somebody, tag};
use crate::{Expected, Metadata};

pub(super) async fn nothing_is_seen_before_the_commit(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "before-the-commit").await;
    let id = scene.repository.id;
    let mut tx = scene.begin().await;
    let digest = scene.push_in(&mut *tx, &image("c", &[], None, None), &["t"], 0).await.expect("a push");
    assert_eq!(tx.lock_manifests(id, &[digest]).await.expect("an answer").len(), 1);
    assert_eq!(metadata.tag(id, &tag("t")).await.expect("an answer"), None);
    assert_eq!(metadata.manifest(id, &digest).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.tag(id, &tag("t")).await.expect("an answer"), Some(digest));
}

pub(super) async fn a_dropped_transaction_leaves_nothing(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "dropped").await;
    let id = scene.repository.id;
    let kept = scene.push(&image("kept", &[], None, None), &["kept"]).await;
    let layer = scene.push_blob("a layer that stays").await;
    let usage = metadata.project_usage(scene.project.id).await.expect("a sum");
    let mut tx = scene.begin().await;
    let lost = blob("dropped with its transaction");
    tx.add_blob(&lost, at(0)).await.expect("a blob");
    tx.link_blob(&scene.repository, &lost.digest, lost.size, &somebody(), at(0)).await.expect("a link");
    let digest = scene.push_in(&mut *tx, &image("c", &[], None, None), &["new", "kept"], 0).await;
    let digest = digest.expect("a push");
    tx.delete_manifest(&scene.repository, &kept, &act("dropped", 1)).await.expect("a deletion");
    tx.unlink_blob(&scene.repository, &layer, &act("dropped", 1)).await.expect("an answer");
    tx.ensure_setting("dropped", b"1").await.expect("a setting");
    drop(tx);

    // The next one waits until the dropped one is undone.
    let mut tx = scene.begin().await;
    assert_eq!(tx.lock_blob(&lost.digest).await.expect("an answer"), None);
    let locked = tx.lock_manifests(id, &[digest, kept]).await.expect("a list");
    assert!(locked[0].is_none() && locked[1].is_some());
    assert_eq!(tx.lock_links(id, &[layer]).await.expect("a list"), [Some(18)]);
    assert_eq!(&*tx.ensure_setting("dropped", b"2").await.expect("a setting"), b"2");
    tx.commit().await.expect("a commit");
    assert_eq!(scene.tags().await, ["kept"]);
    assert_eq!(metadata.tag(id, &tag("kept")).await.expect("an answer"), Some(kept));
    assert_eq!(metadata.project_usage(scene.project.id).await.expect("a sum"), usage);
}

pub(super) async fn a_dropped_one_between_others_takes_nothing_with_it(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "between").await;
    let digest = scene.push(&image("c", &[], None, None), &[]).await;
    let write = async |n: i64| {
        let mut tx = scene.begin().await;
        let name = tag(&format!("t{n}"));
        let by = somebody();
        let moved = tx.point_tag(&scene.repository, &name, &digest, &Expected::Absent, &by, at(n)).await;
        moved.expect("a tag");
        if n % 3 == 0 {
            drop(tx);
        } else {
            tx.commit().await.expect("a commit");
        }
    };
    futures::future::join_all((0..30).map(write)).await;
    let mut expected: Vec<String> = (0..30).filter(|n| n % 3 != 0).map(|n| format!("t{n}")).collect();
    expected.sort();
    assert_eq!(scene.tags().await, expected);
    let unknown = metadata.manifest(scene.repository.id, &Digest::sha256(b"")).await.expect("an answer");
    assert_eq!(unknown, None);
}
