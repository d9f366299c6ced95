//! Blobs and their links.

use berth_domain::{Location, Repository};
use berth_oci::{Algorithm, Digest};
use bytes::Bytes;

use super::scene::{Scene, act, at, begin, blob, image, somebody};
use crate::{AddedBlob, Blob, BlobState, LinkPosition, LinkTarget, Metadata, Place, StoredBlob};

pub(super) async fn an_added_blob_keeps_its_place(metadata: &dyn Metadata) {
    let first = blob("keeps its place");
    let second = Blob { place: Place::At(Location::new("test:elsewhere")), ..first.clone() };
    let mut tx = begin(metadata).await;
    assert_eq!(tx.lock_blob(&first.digest).await.expect("an answer"), None);
    assert_eq!(tx.add_blob(&first, at(0)).await.expect("an answer"), AddedBlob::Added);
    assert_eq!(tx.add_blob(&second, at(1)).await.expect("an answer"), AddedBlob::Kept);
    assert_eq!(tx.lock_blob(&first.digest).await.expect("an answer"), Some(first));
    tx.commit().await.expect("a commit");
}

pub(super) async fn an_added_blob_can_be_linked_at_once(metadata: &dyn Metadata) {
    let scene = Scene::within(metadata, "at-once", "linked").await;
    let (id, by) = (scene.repository.id, somebody());
    let before = metadata.project_usage(scene.project.id).await.expect("a sum");
    let first = blob("linked at once");
    let second = Blob { place: Place::At(Location::new("test:elsewhere")), ..first.clone() };
    for (pushed, expected) in [(&first, AddedBlob::Added), (&second, AddedBlob::Kept)] {
        let mut tx = scene.begin().await;
        let added = tx.add_linked_blob(&scene.repository, pushed, &by, at(0)).await.expect("an answer");
        assert_eq!(added, expected);
        tx.commit().await.expect("a commit");
        assert_eq!(metadata.blob(id, &first.digest).await.expect("an answer"), Some(first.clone()));
    }
    let mut tx = scene.begin().await;
    tx.mark_blob(&first.digest, &first.place, BlobState::Missing, at(1)).await.expect("no error");
    let healed = tx.add_linked_blob(&scene.repository, &second, &by, at(2)).await.expect("an answer");
    assert_eq!(healed, AddedBlob::Healed { old: first.place });
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.blob(id, &second.digest).await.expect("an answer"), Some(second.clone()));
    let usage = metadata.project_usage(scene.project.id).await.expect("a sum");
    assert_eq!(usage, before + second.size, "it is counted once");
}

pub(super) async fn inline_content_comes_back(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "inline").await;
    for content in [&b""[..], b"{}", &[0, 255, 10, 13, 39, 0], &[7; 16 * 1024]] {
        let digest = Digest::of(Algorithm::Sha512, content);
        let place = Place::Inline(Bytes::copy_from_slice(content));
        let blob = Blob { digest, size: content.len() as u64, place, state: BlobState::Ok };
        let mut tx = scene.begin().await;
        tx.add_blob(&blob, at(0)).await.expect("a blob");
        tx.link_blob(&scene.repository, &digest, blob.size, &somebody(), at(0)).await.expect("a link");
        tx.commit().await.expect("a commit");
        assert_eq!(metadata.blob(scene.repository.id, &digest).await.expect("an answer"), Some(blob));
    }
}

pub(super) async fn a_bad_blob_is_healed(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "healed").await;
    let digest = scene.push_blob("to be healed").await;
    let id = scene.repository.id;
    let old = blob("to be healed");
    let elsewhere = Place::At(Location::new("test:not there"));
    let new = Blob { place: Place::Inline(Bytes::from_static(b"to be healed")), ..old.clone() };

    let mut tx = scene.begin().await;
    tx.mark_blob(&digest, &elsewhere, BlobState::Missing, at(1)).await.expect("no error");
    assert_eq!(tx.lock_blob(&digest).await.expect("an answer").map(|blob| blob.state), Some(BlobState::Ok));
    tx.mark_blob(&digest, &old.place, BlobState::Corrupt, at(2)).await.expect("no error");
    assert_eq!(tx.lock_links(id, &[digest]).await.expect("an answer"), [None]);
    tx.commit().await.expect("a commit");
    let marked = metadata.blob(id, &digest).await.expect("an answer").expect("it is linked");
    assert_eq!(marked.state, BlobState::Corrupt);
    assert_eq!(metadata.linked_sizes(id, &[digest]).await.expect("an answer"), [None]);
    assert_eq!(metadata.known_blob(&digest).await.expect("an answer"), Some(marked));
    assert!(metadata.blob_holders(&digest, 5).await.expect("a list").is_empty());

    let mut tx = scene.begin().await;
    let healed = tx.add_blob(&new, at(3)).await.expect("an answer");
    assert_eq!(healed, AddedBlob::Healed { old: old.place });
    assert_eq!(tx.lock_links(id, &[digest]).await.expect("an answer"), [Some(12)]);
    tx.mark_blob(&digest, &new.place, BlobState::Missing, at(4)).await.expect("no error");
    assert_eq!(tx.lock_links(id, &[digest]).await.expect("an answer"), [None]);
    tx.mark_blob(&digest, &new.place, BlobState::Ok, at(5)).await.expect("no error");
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.blob(id, &digest).await.expect("an answer"), Some(new));
}

pub(super) async fn damaged_inline_content_is_put_right(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "inline-put-right").await;
    let inline = |content: &'static str| Place::Inline(Bytes::from_static(content.as_bytes()));
    let good = Blob { place: inline("inline, put right"), ..blob("inline, put right") };
    // Bytes that the digest does not name are what damage leaves.
    let damaged = Blob { place: inline("damaged"), ..good.clone() };
    let elsewhere = blob("inline, put right");
    let mut tx = scene.begin().await;
    let pushes = [
        (&damaged, AddedBlob::Added),
        // What lies elsewhere says nothing of the bytes in the row.
        (&elsewhere, AddedBlob::Kept),
        (&good, AddedBlob::Healed { old: damaged.place.clone() }),
        (&good, AddedBlob::Kept),
    ];
    for (pushed, expected) in pushes {
        assert_eq!(tx.add_blob(pushed, at(0)).await.expect("an answer"), expected);
    }
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.known_blob(&good.digest).await.expect("an answer"), Some(good));
}

pub(super) async fn links_come_and_go(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "links").await;
    let other = Scene::new(metadata, "links-of-another").await;
    let id = scene.repository.id;
    let (first, second) = (scene.push_blob("first").await, scene.push_blob("second, longer").await);
    let (unknown, foreign) = (Digest::sha256(b"unknown"), other.push_blob("foreign").await);
    scene.push_blob("first").await;

    let mut tx = scene.begin().await;
    let asked = [second, unknown, first, foreign, second];
    let sizes = tx.lock_links(id, &asked).await.expect("an answer");
    assert_eq!(sizes, [Some(14), None, Some(5), None, Some(14)]);
    assert_eq!(tx.lock_links(id, &[]).await.expect("an answer"), []);
    drop(tx);
    assert_eq!(metadata.linked_sizes(id, &asked).await.expect("an answer"), sizes);
    assert_eq!(metadata.linked_sizes(id, &[]).await.expect("an answer"), []);
    assert_eq!(metadata.blob(id, &foreign).await.expect("an answer"), None);

    assert!(scene.unlink(&first, &act("links", 1)).await);
    assert!(!scene.unlink(&first, &act("links again", 2)).await);
    assert_eq!(metadata.blob(id, &first).await.expect("an answer"), None);
    assert_eq!(metadata.linked_sizes(id, &[first]).await.expect("an answer"), [None]);
    assert_eq!(metadata.known_blob(&first).await.expect("an answer"), Some(blob("first")));
    assert_eq!(metadata.known_blob(&unknown).await.expect("an answer"), None);
    scene.push_blob("first").await;
    assert_eq!(metadata.blob(id, &first).await.expect("an answer"), Some(blob("first")));
}

pub(super) async fn holders_are_live_and_good(metadata: &dyn Metadata) {
    let scenes = [
        Scene::new(metadata, "holder-1").await,
        Scene::new(metadata, "holder-2").await,
        Scene::new(metadata, "holder-3").await,
    ];
    let mut digest = None;
    for scene in &scenes {
        digest = Some(scene.push_blob("held by three").await);
    }
    let digest = digest.expect("three scenes");
    scenes[1].unlink(&digest, &act("holder", 1)).await;
    let holders = metadata.blob_holders(&digest, 10).await.expect("a list");
    let names: Vec<String> = holders.iter().map(|holder| holder.name.to_string()).collect();
    assert_eq!(names, ["conformance/holder-1", "conformance/holder-3"]);
    assert_eq!(holders[1].repository, scenes[2].repository.id);
    assert_eq!(metadata.blob_holders(&digest, 1).await.expect("a list").len(), 1);
}

pub(super) async fn all_blobs_are_listed_by_digest(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "listed").await;
    for n in 0..5 {
        scene.push_blob(&format!("listed {n}")).await;
    }
    let unlinked = blob("listed, unlinked");
    let mut tx = scene.begin().await;
    tx.add_blob(&unlinked, at(0)).await.expect("a blob");
    let place = Place::Inline(Bytes::from_static(b"listed, inline"));
    let inline = Blob { place, ..blob("listed, inline") };
    tx.add_blob(&inline, at(0)).await.expect("a blob");
    tx.mark_blob(&unlinked.digest, &unlinked.place, BlobState::Missing, at(1)).await.expect("no error");
    tx.commit().await.expect("a commit");

    let mut seen: Vec<Digest> = Vec::new();
    loop {
        let page = metadata.blobs(seen.last(), 3).await.expect("a list");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        seen.extend(page.iter().map(|blob| blob.digest));
    }
    assert!(seen.is_sorted_by(|a, b| a.to_bytes() < b.to_bytes()));
    assert!(seen.contains(&unlinked.digest) && seen.contains(&inline.digest));
    let mut stored: Vec<StoredBlob> = Vec::new();
    loop {
        let page = metadata.stored_blobs(stored.last().map(|blob| &blob.digest), 3).await.expect("a list");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        stored.extend(page);
    }
    assert!(stored.is_sorted_by(|a, b| a.digest.to_bytes() < b.digest.to_bytes()));
    let Place::At(location) = unlinked.place else { panic!("it is in storage") };
    let (digest, size, state) = (unlinked.digest, unlinked.size, BlobState::Missing);
    assert!(stored.contains(&StoredBlob { digest, size, location, state }));
    assert!(stored.iter().all(|blob| blob.digest != inline.digest));
    assert!((0..5).all(|n| seen.contains(&blob(&format!("listed {n}")).digest)));
}

pub(super) async fn all_links_are_listed_with_what_they_need(metadata: &dyn Metadata) {
    let (one, two) = (Scene::new(metadata, "links-of/one").await, Scene::new(metadata, "links-of/two").await);
    let both = one.push_blob("linked by both").await;
    two.push_blob("linked by both").await;
    let gone = one.push_blob("no longer linked").await;
    one.unlink(&gone, &act("links of", 1)).await;
    let unknown = Digest::sha256(b"linked, never pushed");
    let mut tx = one.begin().await;
    tx.link_blob(&one.repository, &unknown, 20, &somebody(), at(0)).await.expect("a link");
    tx.commit().await.expect("a commit");

    let mut listed: Vec<(Repository, LinkTarget)> = Vec::new();
    loop {
        let after = listed
            .last()
            .map(|(repository, last)| LinkPosition { digest: last.digest, repository: repository.id });
        let page = metadata.link_targets(after.as_ref(), 2).await.expect("a list");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        listed.extend(page);
    }
    assert!(
        listed.is_sorted_by_key(|(repository, target)| (target.digest.to_bytes(), repository.id.0)),
        "{listed:?}"
    );
    listed.retain(|(repository, _)| [&one, &two].iter().any(|scene| scene.repository == *repository));
    let link = |scene: &Scene<'_>, digest, there| (scene.repository.clone(), LinkTarget { digest, there });
    let mut expected = [link(&one, both, true), link(&two, both, true), link(&one, unknown, false)];
    expected.sort_by_key(|(repository, target)| (target.digest.to_bytes(), repository.id.0));
    assert_eq!(listed, expected);
}

pub(super) async fn what_was_lost_is_told_from_what_never_was(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "had").await;
    let names = ["had: kept", "had: lost before", "had: lost after"];
    let mut asked = vec![Digest::sha256(b"had: never")];
    for name in names {
        asked.push(scene.push_blob(name).await);
    }
    scene.unlink(&asked[2], &act("had before", -1)).await;
    let manifest = scene.push(&image("had: never", &names, None, None), &[]).await;
    scene.unlink(&asked[3], &act("had after", 1)).await;
    let mut tx = scene.begin().await;
    let place = blob("had: kept").place;
    tx.mark_blob(&asked[1], &place, BlobState::Corrupt, at(2)).await.expect("no error");
    tx.commit().await.expect("a commit");
    let had = async |since| {
        let had = metadata.had_since(scene.repository.id, since, &asked).await.expect("a list");
        asked.iter().map(|digest| had.contains(digest)).collect::<Vec<_>>()
    };
    assert_eq!(had(&manifest).await, [false, true, false, true]);
    assert_eq!(had(&Digest::sha256(b"?")).await, [false, true, false, false]);
}

pub(super) async fn users_of_a_blob_are_found(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "users").await;
    let other = Scene::new(metadata, "users-of-another").await;
    let used = scene.push_blob("used").await;
    other.push(&image("used", &["used"], None, None), &[]).await;
    let as_config = scene.push(&image("used", &[], None, None), &[]).await;
    let as_layer = scene.push(&image("c", &["l", "used", "used"], None, None), &[]).await;
    scene.push(&image("c", &["l"], Some(used), None), &[]).await;
    let users = async |limit| {
        let mut tx = scene.begin().await;
        let users = tx.lock_blob_users(scene.repository.id, &used, limit).await.expect("an answer");
        let mut users = users.expect("the repository has it");
        users.sort();
        users
    };
    let mut both = vec![as_config, as_layer];
    both.sort();
    assert_eq!(users(10).await, both);
    assert_eq!(users(1).await.len(), 1);
    scene.delete(&as_config, &act("users", 1)).await;
    assert_eq!(users(10).await, [as_layer]);
    // It is named there, and not there.
    let mut tx = other.begin().await;
    assert_eq!(tx.lock_blob_users(other.repository.id, &used, 10).await.expect("an answer"), None);
}
