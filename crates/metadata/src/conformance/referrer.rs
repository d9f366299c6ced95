//! Referrers.

use berth_oci::{Descriptor, Digest};

use super::scene::{ANY, Scene, act, image};
use crate::{Metadata, Referrer};

/// How many bytes the texts of an entry have.
fn text(referrer: &Referrer) -> u64 {
    let Descriptor { media_type, artifact_type, annotations, .. } = &referrer.descriptor;
    let annotations = annotations.iter().flatten().map(|(name, value)| name.len() + value.len());
    let types = media_type.as_str().len() + artifact_type.as_ref().map_or(0, String::len);
    (types + annotations.sum::<usize>()) as u64
}

pub(super) async fn lists_by_subject_type_and_position(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "referrers").await;
    let id = scene.repository.id;
    let subject = Digest::sha256(b"a subject that is not there yet");
    let list = async |kind: Option<&'static str>, after, limit| -> Vec<Referrer> {
        let list = metadata.referrers(id, &subject, kind, after, limit).await.expect("a list");
        let weights = metadata.referrer_weights(id, &subject, kind, after, limit).await.expect("weights");
        assert_eq!(weights.len(), list.len());
        for (weight, least) in weights.into_iter().zip(list.iter().map(text)) {
            // JSON adds a little.
            assert!((least..least + 32).contains(&weight), "{weight} {least}");
        }
        list
    };
    assert!(list(None, None, 10).await.is_empty());

    let first = scene.push(&image("first", &[], Some(subject), Some("hé\\\"llo")), &["tagged"]).await;
    scene.push(&image("about another", &[], Some(first), None), &[]).await;
    scene.push(&image("about nothing", &[], None, Some("x")), &[]).await;
    let typed = String::from_utf8_lossy(&image("second", &[], Some(subject), None))
        .replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"artifactType\":\"application/x.signature\"");
    let second = scene.push(&typed.into(), &[]).await;

    let all = list(None, None, 10).await;
    assert_eq!(all.iter().map(|one| one.descriptor.digest).collect::<Vec<_>>(), [first, second]);
    assert!(all[0].position < all[1].position);
    let descriptor = &all[0].descriptor;
    assert_eq!(descriptor.media_type.as_str(), "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(descriptor.artifact_type.as_deref(), Some(ANY));
    let annotations = descriptor.annotations.as_ref().expect("annotations");
    assert_eq!(annotations.get("said").map(String::as_str), Some("hé\"llo"));
    let stored = scene.manifest_by_tag("tagged").await.expect("a manifest");
    assert_eq!(descriptor.size, stored.content.len() as u64);
    assert_eq!(all[1].descriptor.artifact_type.as_deref(), Some("application/x.signature"));
    assert_eq!(all[1].descriptor.annotations, None);

    assert_eq!(list(None, None, 1).await, all[..1]);
    assert_eq!(list(None, Some(all[0].position), 10).await, all[1..]);
    assert_eq!(list(Some("application/x.signature"), None, 10).await, all[1..]);
    assert!(list(Some("application/x.unknown"), None, 10).await.is_empty());
    scene.delete(&first, &act("referrers", 1)).await;
    assert_eq!(list(None, None, 10).await, all[1..]);
}
