//! Manifests.

use berth_oci::{Algorithm, Digest, Manifest};
use bytes::Bytes;

use super::scene::{ANY, Scene, act, at, image, index, somebody, tag};
use crate::{AddedManifest, FoundManifest, ManifestPosition, Metadata, NewManifest};

pub(super) async fn a_manifest_comes_back_bit_for_bit(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "bit-for-bit").await;
    let content =
        Bytes::from(format!("{}\n  \r\n", String::from_utf8_lossy(&image("c", &["l"], None, None))));
    let digest = scene.push(&content, &["v1"]).await;
    let id = scene.repository.id;
    let stored = metadata.manifest(id, &digest).await.expect("an answer").expect("a manifest");
    assert_eq!((stored.digest, &stored.content), (digest, &content));
    assert_eq!(stored.media_type.as_str(), "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(scene.manifest_by_tag("v1").await, Some(stored));
    assert_eq!(scene.manifest_by_tag("v2").await, None);
    assert_eq!(metadata.manifest(id, &Digest::sha256(b"?")).await.expect("an answer"), None);

    let manifest = Manifest::parse(&content, None).expect("a manifest");
    let again = NewManifest { digest, content: &content, manifest: &manifest };
    let longer = NewManifest { digest: Digest::of(Algorithm::Sha512, &content), ..again.clone() };
    let mut tx = scene.begin().await;
    let added = tx.add_manifest(&scene.repository, &again, &somebody(), at(1)).await.expect("an answer");
    assert_eq!(added, AddedManifest::Kept);
    let added = tx.add_manifest(&scene.repository, &longer, &somebody(), at(1)).await.expect("an answer");
    assert_eq!(added, AddedManifest::Added);
    tx.commit().await.expect("a commit");
    let stored = metadata.manifest(id, &longer.digest).await.expect("an answer").expect("a manifest");
    assert_eq!(stored.digest, longer.digest);
}

pub(super) async fn bytes_come_along_only_if_they_are_wanted(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "wanted-bytes").await;
    let content = image("c", &["l"], None, None);
    let digest = scene.push(&content, &["v1"]).await;
    let (id, size) = (scene.repository.id, content.len() as u64);
    let whole = metadata.manifest(id, &digest).await.expect("an answer").expect("a manifest");
    let large = FoundManifest::Large { digest, media_type: whole.media_type.clone(), size };
    for (most, expected) in [(0, &large), (size - 1, &large), (size, &FoundManifest::Whole(whole))] {
        let by_digest = metadata.manifest_up_to(id, &digest, most).await.expect("an answer");
        let by_tag = metadata.manifest_by_tag(id, &tag("v1"), most).await.expect("an answer");
        assert_eq!((by_digest.as_ref(), by_tag.as_ref()), (Some(expected), Some(expected)));
    }
    assert_eq!(metadata.manifest_up_to(id, &Digest::sha256(b"?"), 0).await.expect("an answer"), None);
}

pub(super) async fn damaged_bytes_are_put_right(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "put-right").await;
    let id = scene.repository.id;
    let (content, neighbour) = (image("c", &["l"], None, None), image("c", &["neighbour"], None, None));
    let digest = Digest::sha256(&content);
    let beside = scene.push(&neighbour, &[]).await;
    let manifest = Manifest::parse(&content, None).expect("a manifest");
    // Bytes that the digest does not name are what damage leaves.
    let damaged = Bytes::from_static(b"{\0");
    let mut tx = scene.begin().await;
    let expected = [AddedManifest::Added, AddedManifest::Healed, AddedManifest::Kept];
    for (content, expected) in [&damaged, &content, &content].into_iter().zip(expected) {
        let new = NewManifest { digest, content, manifest: &manifest };
        let added = tx.add_manifest(&scene.repository, &new, &somebody(), at(1)).await.expect("an answer");
        assert_eq!(added, expected);
        let sizes = tx.lock_manifests(id, &[digest, beside]).await.expect("a list");
        assert_eq!(sizes, [Some(content.len() as u64), Some(neighbour.len() as u64)]);
    }
    tx.commit().await.expect("a commit");
    let stored = metadata.manifest(id, &digest).await.expect("an answer").expect("a manifest");
    assert_eq!(stored.content, content);
    let stored = metadata.manifest(id, &beside).await.expect("an answer").expect("a manifest");
    assert_eq!(stored.content, neighbour);
}

pub(super) async fn all_are_listed_by_repository_and_digest(metadata: &dyn Metadata) {
    let (one, two) = (Scene::new(metadata, "listed/one").await, Scene::new(metadata, "listed/two").await);
    let mut pushed = Vec::new();
    for scene in [&one, &two] {
        for config in ["a", "b", "c"] {
            let digest = scene.push(&image(config, &[], None, None), &[]).await;
            pushed.push((scene.repository.id, digest));
        }
    }
    let gone = two.push(&image("gone", &[], None, None), &[]).await;
    two.delete(&gone, &act("one of a list", 5)).await.expect("it was there");
    pushed.sort_by_key(|(repository, digest)| (repository.0, digest.to_bytes()));
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = metadata.manifests(after.as_ref(), 2).await.expect("a list");
        let Some((repository, manifest)) = page.last() else { break };
        after = Some(ManifestPosition { repository: repository.id, digest: manifest.digest });
        listed.extend(page);
    }
    let both = [one.repository.clone(), two.repository.clone()];
    listed.retain(|(repository, _)| both.contains(repository));
    let names: Vec<_> =
        listed.iter().map(|(repository, manifest)| (repository.id, manifest.digest)).collect();
    assert_eq!(names, pushed);
    assert!(listed.iter().all(|(_, manifest)| Digest::sha256(&manifest.content) == manifest.digest));
}

pub(super) async fn deletion_takes_the_tags(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "takes-the-tags").await;
    let other = scene.push(&image("other", &[], None, None), &["stays"]).await;
    let content = image("c", &[], None, None);
    let digest = scene.push(&content, &["b", "Z", "a"]).await;
    let tags = scene.delete(&digest, &act("takes the tags", 3)).await.expect("it was there");
    assert_eq!(tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Z", "a", "b"]);
    assert_eq!(scene.tags().await, ["stays"]);
    assert_eq!(metadata.manifest(scene.repository.id, &digest).await.expect("an answer"), None);
    assert!(metadata.manifest(scene.repository.id, &other).await.expect("an answer").is_some());
    assert_eq!(scene.delete(&digest, &act("takes the tags again", 4)).await, None);
    let history = metadata.tag_history(scene.repository.id, &tag("Z"), 10).await.expect("a list");
    assert_eq!((history[0].from, history[0].to, history[0].at), (Some(digest), None, at(3)));
    assert_eq!(history[0].by, somebody());

    assert_eq!(scene.push(&content, &["Z"]).await, digest);
    assert_eq!(scene.delete(&digest, &act("takes one tag", 5)).await.expect("it was there").len(), 1);
}

pub(super) async fn lock_gives_sizes_in_order(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "sizes").await;
    let contents = [image("c", &[], None, None), image("c", &["longer"], None, None)];
    let (first, second) = (scene.push(&contents[0], &[]).await, scene.push(&contents[1], &[]).await);
    let mut tx = scene.begin().await;
    let asked = [second, Digest::sha256(b"?"), first];
    let sizes = tx.lock_manifests(scene.repository.id, &asked).await.expect("a list");
    assert_eq!(sizes, [Some(contents[1].len() as u64), None, Some(contents[0].len() as u64)]);
    assert_eq!(tx.lock_manifests(scene.repository.id, &[]).await.expect("a list"), []);
    drop(tx);
    assert_eq!(metadata.manifest_sizes(scene.repository.id, &asked).await.expect("a list"), sizes);
    assert_eq!(metadata.manifest_sizes(scene.repository.id, &[]).await.expect("a list"), []);
    scene.delete(&first, &act("sizes", 1)).await;
    assert_eq!(metadata.manifest_sizes(scene.repository.id, &[first]).await.expect("a list"), [None]);
    let mut tx = scene.begin().await;
    assert_eq!(tx.lock_manifests(scene.repository.id, &[first]).await.expect("a list"), [None]);
}

pub(super) async fn every_kind_of_reference_is_kept(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "references").await;
    let blob = scene.push_blob("an entry of a cache").await;
    // Entries of unknown type may be blobs; entries of a manifest's type are not.
    let typed = scene.push(&index(&[blob]), &[]).await;
    let untyped = String::from_utf8_lossy(&index(&[blob]))
        .replace("\"application/vnd.oci.image.manifest.v1+json\"", &format!("\"{ANY}\""));
    let untyped = scene.push(&Bytes::from(untyped), &[]).await;
    let mut tx = scene.begin().await;
    let users = tx.lock_blob_users(scene.repository.id, &blob, 10).await.expect("an answer");
    assert_eq!(users, Some(vec![untyped]));
    assert_ne!(typed, untyped);
    drop(tx);
    // A size that no database can count with is kept as far as it can.
    let huge = String::from_utf8_lossy(&image("c", &["huge"], None, None))
        .replace("\"size\":4", "\"size\":18446744073709551615");
    scene.push(&Bytes::from(huge), &["huge"]).await;
    let many: Vec<String> = (0..2000).map(|n| format!("layer {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let last = scene.push_blob("layer 1999").await;
    let long = scene.push(&image("c", &many, None, None), &[]).await;
    let mut tx = scene.begin().await;
    assert_eq!(
        tx.lock_blob_users(scene.repository.id, &last, 10).await.expect("an answer"),
        Some(vec![long])
    );
}
