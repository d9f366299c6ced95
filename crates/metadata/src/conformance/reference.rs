//! What manifests say as rows.

use berth_oci::{Digest, Manifest};
use bytes::Bytes;

use super::review::{DAY, queued};
use super::scene::{Scene, act, at, image, index, somebody};
use crate::{ManifestDifference, Metadata, NewManifest, ReviewSubject};

/// Adds a manifest with the rows of another one.
async fn push_with_rows_of(scene: &Scene<'_>, content: &Bytes, other: &Bytes) -> Digest {
    let manifest = Manifest::parse(other, None).expect("a manifest");
    let digest = Digest::sha256(content);
    let mut tx = scene.begin().await;
    let new = NewManifest { digest, content, manifest: &manifest };
    tx.add_manifest(&scene.repository, &new, &somebody(), at(0)).await.expect("a manifest");
    tx.commit().await.expect("a commit");
    digest
}

pub(super) async fn rows_are_what_the_bytes_say(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "rows").await;
    let subject = Digest::sha256(b"rows: subject");
    let plain = image("rows", &["a", "b", "a"], None, None);
    for content in [
        plain.clone(),
        image("rows", &[], Some(subject), Some(r"aé\u0001\\")),
        index(&[Digest::sha256(&plain)]),
        index(&[]),
    ] {
        scene.push(&content, &[]).await;
        let manifest = Manifest::parse(&content, None).expect("a manifest");
        let new = NewManifest { digest: Digest::sha256(&content), content: &content, manifest: &manifest };
        let difference = metadata.manifest_difference(scene.repository.id, &new).await.expect("an answer");
        assert_eq!(difference, None);
    }
}

pub(super) async fn wrong_rows_are_derived_again(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "wrong-rows").await;
    let id = scene.repository.id;
    let subject = Digest::sha256(b"wrong rows: subject");
    let layer = scene.push_blob("wrong rows: layer").await;
    let plain = image("wrong rows", &["wrong rows: layer"], None, None);
    let about = image("wrong rows", &[], Some(subject), Some("x"));
    let empty = index(&[]);
    let fields = vec!["subject", "annotations"];
    let cases = [
        (&plain, &empty, ManifestDifference { missing: 2, surplus: 0, fields: vec!["artifact type"] }),
        (&empty, &plain, ManifestDifference { missing: 0, surplus: 2, fields: vec!["artifact type"] }),
        (&about, &plain, ManifestDifference { missing: 1, surplus: 1, fields }),
    ];
    for (content, other, expected) in cases {
        let digest = push_with_rows_of(&scene, content, other).await;
        let manifest = Manifest::parse(content, None).expect("a manifest");
        let new = NewManifest { digest, content, manifest: &manifest };
        let look = async || metadata.manifest_difference(id, &new).await.expect("an answer");
        assert_eq!(look().await.as_ref(), Some(&expected));
        // Bytes that are not the row's say nothing of it.
        let mut tx = scene.begin().await;
        let elsewhere = NewManifest { content: &Bytes::from_static(b"{}"), ..new.clone() };
        let derived = tx.derive_references(&scene.repository, &elsewhere, at(5)).await.expect("an answer");
        assert_eq!(derived, None);
        let derived = tx.derive_references(&scene.repository, &new, at(5)).await.expect("an answer");
        assert_eq!(derived, Some(expected));
        let derived = tx.derive_references(&scene.repository, &new, at(6)).await.expect("an answer");
        assert_eq!(derived, None);
        tx.commit().await.expect("a commit");
        assert_eq!(look().await, None);
    }
    assert_eq!(queued(metadata, &ReviewSubject::Blob(layer)).await, Some(at(5).plus(DAY)));
    // What asks the rows gets other answers now.
    let mut tx = scene.begin().await;
    let users = tx.lock_blob_users(id, &layer, 9).await.expect("an answer");
    drop(tx);
    assert_eq!(users, Some(vec![Digest::sha256(&plain)]));
    let referrers = metadata.referrers(id, &subject, None, None, 9).await.expect("a list");
    let named: Vec<Digest> = referrers.iter().map(|referrer| referrer.descriptor.digest).collect();
    assert_eq!(named, [Digest::sha256(&about)]);
    scene.delete(&Digest::sha256(&plain), &act("wrong rows", 7)).await.expect("it was there");
    let manifest = Manifest::parse(&plain, None).expect("a manifest");
    let gone = NewManifest { digest: Digest::sha256(&plain), content: &empty, manifest: &manifest };
    assert_eq!(metadata.manifest_difference(id, &gone).await.expect("an answer"), None);
}
