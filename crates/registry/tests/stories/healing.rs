//! Damaged bytes in the database: never served, found, and put right by the next push.

use berth_domain::{Actor, Clock as _};
use berth_metadata::{Blob, BlobState, Metadata as _, NewManifest, Place, RepositoryReads as _};
use berth_oci::{Digest, Manifest, Reference, RepositoryName};
use berth_registry::fsck::{Finding, Options, Report};
use berth_registry::{Condition, Error, Registry};
use bytes::Bytes;

use crate::house::{House, caller, content, name, pull, push};
use crate::manifests::{image, push_image, push_to, tag};

const DAMAGED: Bytes = Bytes::from_static(b"{\"damaged\":true}");

/// Puts other bytes under the manifest's name: the database believes whoever says what a digest names.
async fn damage_manifest(house: &House, repository: &RepositoryName, digest: Digest) {
    let kept = house.metadata.repository(repository).await.unwrap().unwrap();
    let manifest = Manifest::parse(&image(&content(1), &content(2), ""), None).unwrap();
    let damaged = NewManifest { digest, content: &DAMAGED, manifest: &manifest };
    let mut tx = house.metadata.begin().await.unwrap();
    tx.add_manifest(&kept, &damaged, &Actor::system(), house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// The same to a blob that the database keeps.
async fn damage_blob(house: &House, digest: Digest, size: u64) {
    let damaged = Blob { digest, size, place: Place::Inline(DAMAGED), state: BlobState::Ok };
    let mut tx = house.metadata.begin().await.unwrap();
    tx.add_blob(&damaged, house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn check(registry: &Registry, deep: bool) -> (Report, Vec<Finding>) {
    let mut findings = Vec::new();
    let options = Options { deep, repair: false };
    let report = registry.fsck(options, &mut |finding| findings.push(finding.clone())).await.unwrap();
    (report, findings)
}

#[tokio::test]
async fn a_damaged_manifest_is_not_served_and_the_next_push_puts_it_right() {
    let house = House::new().await;
    let (here, there) = (house.process(1, true).await, house.process(2, true).await);
    let (repository, caller) = (name("library/damaged"), caller());
    let (manifest, digest) = push_image(&here, &repository, "1").await;
    let both = [Reference::Tag(tag("1")), Reference::Digest(digest)];
    let pulled = here.as_caller(&caller).manifest(&repository, &both[0], |_| true).await.unwrap();
    assert_eq!(pulled.content, manifest);
    damage_manifest(&house, &repository, digest).await;

    let actual = Digest::sha256(&DAMAGED);
    let expected = Finding::CorruptManifest { repository: repository.clone(), digest, actual };
    assert_eq!(check(&there, true).await.1, [expected]);
    for (reference, counted) in both.iter().flat_map(|reference| [(reference, true), (reference, false)]) {
        let asked = there.as_caller(&caller).manifest(&repository, reference, |_| counted).await;
        assert!(matches!(asked, Err(Error::ManifestUnknown(_))), "{reference:?}: {asked:?}");
    }
    // Whoever read it before the damage remembers the right bytes.
    let pulled = here.as_caller(&caller).manifest(&repository, &both[1], |_| true).await.unwrap();
    assert_eq!(pulled.content, manifest);

    push_to(&there, &repository, "1", &manifest, Condition::Anything).await.unwrap();
    for registry in [&here, &there, &house.process(3, true).await] {
        for reference in &both {
            let pulled =
                registry.as_caller(&caller).manifest(&repository, reference, |_| true).await.unwrap();
            assert_eq!(pulled.content, manifest);
        }
    }
    let (report, findings) = check(&there, true).await;
    assert!(report.is_clean(), "{findings:?}");
}

#[tokio::test]
async fn a_damaged_small_blob_is_not_served_and_the_next_push_puts_it_right() {
    let house = House::new().await;
    let (repository, small) = (name("library/small"), content(1000));
    let digest = push(&house.process(1, true).await, &repository, &small).await;
    damage_blob(&house, digest, 1000).await;
    let there = house.process(2, true).await;
    let (report, findings) = check(&there, false).await;
    assert!(report.corrupt == 1 && !report.is_sound(), "{findings:?}");
    assert!(
        matches!(&findings[..], [Finding::Corrupt { digest: found, location: None, known: false, .. }] if *found == digest),
        "{findings:?}"
    );
    let asked = pull(&there, &repository, &digest).await;
    assert!(matches!(asked, Err(Error::BlobUnknown(_))), "{asked:?}");
    // It was marked, so that nobody counts on it.
    let findings = check(&there, false).await.1;
    assert!(matches!(&findings[..], [Finding::Corrupt { known: true, .. }]), "{findings:?}");
    push(&there, &repository, &small).await;
    assert_eq!(pull(&there, &repository, &digest).await.unwrap(), small);
    assert!(check(&there, true).await.0.is_clean());
}

#[tokio::test]
async fn a_push_puts_a_small_blob_right_whose_damage_nobody_saw() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (repository, small) = (name("library/unseen"), content(1000));
    let digest = push(&registry, &repository, &small).await;
    // Whatever the row says of their length.
    for size in [1000, DAMAGED.len() as u64] {
        damage_blob(&house, digest, size).await;
        assert_eq!(check(&registry, false).await.0.corrupt, 1);
        push(&registry, &repository, &small).await;
        let fresh = house.process(2, true).await;
        assert_eq!(pull(&fresh, &repository, &digest).await.unwrap(), small);
        assert!(check(&fresh, true).await.0.is_clean());
    }
}
