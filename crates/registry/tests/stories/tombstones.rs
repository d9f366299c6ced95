//! What was deleted can come back, also after a repair long afterwards, which removes what nothing names.

use std::time::Duration;

use berth_oci::Digest;
use berth_registry::Condition;
use berth_registry::fsck::UNTOUCHED_FOR;

use crate::fsck::check;
use crate::house::{House, MIB, caller, content, name, pull, push};
use crate::manifests::{image, push_to, resolve};

#[derive(Clone, Copy, Debug)]
enum Deleted {
    Manifest,
    /// And then, when nothing needs it any more, one of its blobs. That comes back with it.
    ManifestAndLayer,
    Blob,
    Repository,
}

/// Bytes that nothing ever named.
fn leave_orphan(house: &House) {
    let folder = house.blobs().join("blobs/3f");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("3f0c9a51e2b84d3c8a7f00112233445f"), b"orphan").unwrap();
}

async fn comes_back_after_a_repair(deleted: Deleted) {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/tombs"));
    let guarded = registry.as_caller(&caller);
    // One is in the database, one is named by the image and has a file, and one has a file and is named by nothing.
    let blobs = [content(100), content(2 * MIB), content(2 * MIB + 1)];
    for blob in &blobs {
        push(&registry, &repository, blob).await;
    }
    let manifest = image(&blobs[0], &blobs[1], "buried");
    let digest = push_to(&registry, &repository, "1", &manifest, Condition::Anything).await.unwrap().digest;
    let [_, layer, lone] = blobs.each_ref().map(|blob| Digest::sha256(blob));
    let deletion = match deleted {
        Deleted::Manifest => guarded.delete_manifest(&repository, &digest).await.unwrap(),
        Deleted::ManifestAndLayer => {
            let deletion = guarded.delete_manifest(&repository, &digest).await.unwrap();
            guarded.delete_blob(&repository, &layer).await.unwrap();
            deletion
        }
        Deleted::Blob => guarded.delete_blob(&repository, &lone).await.unwrap(),
        Deleted::Repository => guarded.delete_repository(&repository).await.unwrap(),
    };
    leave_orphan(&house);
    house.clock.advance(UNTOUCHED_FOR + Duration::from_hours(1));
    let (report, findings) = check(&registry, true, true).await;
    assert_eq!((report.orphans, report.removed), (1, 1), "{deleted:?}: {findings:?}");
    assert!(report.is_sound(), "{deleted:?}: {findings:?}");
    guarded.restore(&repository, deletion).await.unwrap();

    // A process that remembers nothing.
    let fresh = house.process(2, true).await;
    assert_eq!(resolve(&fresh, &repository, "1").await, Some(digest), "{deleted:?}");
    for blob in &blobs {
        let found = pull(&fresh, &repository, &Digest::sha256(blob)).await;
        assert!(found.is_ok_and(|found| found == *blob), "{deleted:?}: a blob of {} bytes", blob.len());
    }
    let (report, findings) = check(&fresh, true, false).await;
    assert!(report.is_clean(), "{deleted:?}: {findings:?}");
}

#[tokio::test]
async fn a_repair_spares_what_was_deleted_and_all_of_it_comes_back() {
    for deleted in [Deleted::Manifest, Deleted::ManifestAndLayer, Deleted::Blob, Deleted::Repository] {
        comes_back_after_a_repair(deleted).await;
    }
}
