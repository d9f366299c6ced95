//! Deletions that are taken back.

use berth_domain::{Actor, ActorKind};

use super::scene::{Scene, act, at, blob, image, somebody, tag};
use crate::{BlobState, Deletion, Expected, Metadata, RememberedDeletion, Restoration, Restored};

async fn restore(scene: &Scene<'_>, deletion: &Deletion, n: i64) -> Restored {
    let mut tx = scene.begin().await;
    let restored =
        tx.restore(&scene.repository.name, deletion.id, &somebody(), at(n)).await.expect("a restoration");
    tx.commit().await.expect("a commit");
    restored
}

pub(super) async fn a_batch_comes_back_together(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "batch").await;
    let id = scene.repository.id;
    let blob = scene.push_blob("layer of the batch").await;
    let subject = scene.push(&image("subject", &[], None, None), &["subject"]).await;
    let content = image("c", &["layer of the batch"], Some(subject), None);
    let digest = scene.push(&content, &["a", "b"]).await;
    let batch = act("batch", 1);
    let mut tx = scene.begin().await;
    tx.delete_manifest(&scene.repository, &digest, &batch).await.expect("a deletion");
    assert!(tx.unlink_blob(&scene.repository, &blob, &batch).await.expect("an answer"));
    tx.delete_tag(&scene.repository, &tag("subject"), &Expected::Anything, &batch).await.expect("an answer");
    tx.commit().await.expect("a commit");
    assert!(scene.tags().await.is_empty());

    let all = Restored { manifests: 1, tags: 3, links: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &batch, 2).await, all);
    assert_eq!(scene.tags().await, ["a", "b", "subject"]);
    let stored = scene.manifest_by_tag("a").await.expect("a manifest");
    assert_eq!(stored.content, content);
    assert!(metadata.blob(id, &blob).await.expect("an answer").is_some());
    assert_eq!(metadata.referrers(id, &subject, None, None, 5).await.expect("a list").len(), 1);
    let mut tx = scene.begin().await;
    assert_eq!(tx.lock_blob_users(id, &blob, 5).await.expect("an answer"), Some(vec![digest]));
    drop(tx);
    let history = metadata.tag_history(id, &tag("a"), 1).await.expect("a list");
    assert_eq!((history[0].from, history[0].to, history[0].at), (None, Some(digest), at(2)));

    assert_eq!(restore(&scene, &batch, 3).await, Restored::default());
    assert_eq!(restore(&scene, &act("never happened", 3), 3).await, Restored::default());
}

pub(super) async fn a_live_successor_stays(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "successor").await;
    let id = scene.repository.id;
    let (old, new) = (image("old", &[], None, None), image("new", &[], None, None));
    let first = scene.push(&old, &["moved", "free"]).await;
    let batch = act("successor of a batch", 1);
    scene.delete(&first, &batch).await;
    let second = scene.push(&new, &["moved"]).await;
    let some = Restored { manifests: 1, tags: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &batch, 2).await, some);
    assert_eq!(metadata.tag(id, &tag("moved")).await.expect("an answer"), Some(second));
    assert_eq!(metadata.tag(id, &tag("free")).await.expect("an answer"), Some(first));
    assert_eq!(metadata.tag_history(id, &tag("moved"), 9).await.expect("a list").len(), 3);

    let again = act("pushed again", 3);
    scene.delete(&first, &again).await;
    scene.push(&old, &[]).await;
    let some = Restored { manifests: 0, tags: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &again, 4).await, some);
}

pub(super) async fn an_earlier_deletion_can_still_come_back(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "earlier").await;
    let blob = scene.push_blob("linked twice").await;
    let first = scene.push(&image("first", &[], None, None), &["t"]).await;
    let (early, late) = (act("earlier", 1), act("later", 2));
    scene.unlink(&blob, &early).await;
    scene.delete(&first, &early).await;
    scene.push_blob("linked twice").await;
    let second = scene.push(&image("second", &[], None, None), &["t"]).await;
    scene.unlink(&blob, &late).await;
    scene.delete(&second, &late).await;
    let all = Restored { manifests: 1, tags: 1, links: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &early, 3).await, all);
    assert_eq!(metadata.tag(scene.repository.id, &tag("t")).await.expect("an answer"), Some(first));
    let manifest_only = Restored { manifests: 1, tags: 0, ..Restored::default() };
    assert_eq!(restore(&scene, &late, 4).await, manifest_only);
}

pub(super) async fn a_tag_needs_its_manifest_to_return(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "tag-alone").await;
    let digest = scene.push(&image("c", &[], None, None), &["t"]).await;
    let (of_tag, of_manifest) = (act("the tag alone", 1), act("its manifest", 2));
    let mut tx = scene.begin().await;
    tx.delete_tag(&scene.repository, &tag("t"), &Expected::Anything, &of_tag).await.expect("an answer");
    tx.commit().await.expect("a commit");
    scene.delete(&digest, &of_manifest).await;
    assert_eq!(restore(&scene, &of_tag, 3).await, Restored::default());
    assert!(scene.tags().await.is_empty());
    assert_eq!(restore(&scene, &of_manifest, 4).await.manifests, 1);
    assert_eq!(restore(&scene, &of_tag, 5).await.tags, 1);
    assert_eq!(scene.tags().await, ["t"]);
}

pub(super) async fn a_deletion_comes_back_only_where_it_was(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "its-own").await;
    let other = Scene::new(metadata, "anothers").await;
    let digest = scene.push(&image("c", &[], None, None), &["t"]).await;
    let act = act("where it was", 1);
    scene.delete(&digest, &act).await;
    assert_eq!(restore(&other, &act, 2).await, Restored::default());
    assert!(scene.tags().await.is_empty());
    let all = Restored { manifests: 1, tags: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &act, 3).await, all);
}

pub(super) async fn a_manifest_brings_its_links(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "brings-links").await;
    let id = scene.repository.id;
    let layer = scene.push_blob("taken in between").await;
    let digest = scene.push(&image("never linked", &["taken in between"], None, None), &["t"]).await;
    let of_manifest = act("manifest before its layer", 1);
    scene.delete(&digest, &of_manifest).await;
    scene.unlink(&layer, &act("layer after its manifest", 2)).await;
    let all = Restored { manifests: 1, tags: 1, links: 1, ..Restored::default() };
    assert_eq!(restore(&scene, &of_manifest, 3).await, all);
    assert!(metadata.blob(id, &layer).await.expect("an answer").is_some());

    let again = act("manifest again", 4);
    scene.delete(&digest, &again).await;
    scene.unlink(&layer, &act("layer again", 5)).await;
    let mut tx = scene.begin().await;
    let place = blob("taken in between").place;
    tx.mark_blob(&layer, &place, BlobState::Missing, at(6)).await.expect("no error");
    let name = &scene.repository.name;
    let restored = tx.restore(name, again.id, &somebody(), at(7)).await.expect("a restoration");
    assert_eq!(restored.gone, [layer]);
}

pub(super) async fn who_deleted_and_who_took_it_back_is_remembered(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "remembered").await;
    let name = &scene.repository.name;
    let digest = scene.push(&image("c", &[], None, None), &["t"]).await;
    let act = act("remembered", 1);
    assert_eq!(metadata.deletion(act.id).await.expect("an answer"), None);
    scene.delete(&digest, &act).await;
    let remembered = |restoration| Some(RememberedDeletion { deletion: act.clone(), restoration });
    assert_eq!(metadata.deletion(act.id).await.expect("an answer"), remembered(None));

    let other = Actor { kind: ActorKind::User, id: 7, name: "another ünï".to_owned() };
    let restoration = Restoration { by: Some(other.clone()), at: at(2) };
    let mut tx = scene.begin().await;
    tx.restore(name, act.id, &other, at(2)).await.expect("a restoration");
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.deletion(act.id).await.expect("an answer"), remembered(Some(restoration.clone())));
    // Nothing is left to come back, so this is no restoration.
    assert_eq!(restore(&scene, &act, 3).await, Restored::default());
    assert_eq!(metadata.deletion(act.id).await.expect("an answer"), remembered(Some(restoration)));
}
