//! What is deleted is gone at once and can come back; what is damaged is healed by the next push.

use std::os::unix::fs::PermissionsExt as _;

use berth_oci::Reference;
use berth_registry::{Condition, Error, Registry};

use crate::house::{House, MIB, caller, content, name, pull, push};
use crate::manifests::{push_image, resolve, tag};

#[tokio::test]
async fn a_needed_blob_is_not_deleted_and_what_was_deleted_comes_back_together() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/undo"));
    let guarded = registry.as_caller(&caller);
    let (_, digest) = push_image(&registry, &repository, "v1").await;
    let layer = berth_oci::Digest::sha256(&content(20));
    let refused = guarded.delete_blob(&repository, &layer).await;
    assert!(matches!(refused, Err(Error::BlobInUse(users)) if users == [digest]));
    assert_eq!(resolve(&registry, &repository, "v1").await, Some(digest));
    let deletion = guarded.delete_manifest(&repository, &digest).await.unwrap();
    assert_eq!(resolve(&registry, &repository, "v1").await, None);
    let gone = guarded.manifest(&repository, &Reference::Digest(digest), false).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown(_))), "{gone:?}");
    let restored = guarded.restore(&repository, deletion).await.unwrap();
    assert_eq!((restored.manifests, restored.tags), (1, 1));
    assert_eq!(resolve(&registry, &repository, "v1").await, Some(digest));
    let deletion = guarded.delete_tag(&repository, &tag("v1"), Condition::Anything).await.unwrap();
    assert_eq!(resolve(&registry, &repository, "v1").await, None);
    guarded.restore(&repository, deletion).await.unwrap();
    assert_eq!(resolve(&registry, &repository, "v1").await, Some(digest));
    let deletion = guarded.delete_repository(&repository).await.unwrap();
    let gone = guarded.tags(&repository, None, 10).await;
    assert!(matches!(gone, Err(Error::NameUnknown(_))), "{gone:?}");
    guarded.restore(&repository, deletion).await.unwrap();
    assert_eq!(resolve(&registry, &repository, "v1").await, Some(digest));
    assert_eq!(pull(&registry, &repository, &layer).await.unwrap(), content(20));
}

#[tokio::test]
async fn damaged_bytes_make_a_blob_unknown_until_it_is_pushed_again() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/heal");
    for damage in ["gone", "short"] {
        let content = content(2 * MIB + damage.len());
        let digest = push(&registry, &repository, &content).await;
        assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
        let before = house.files().0;
        let damaged =
            before.iter().find(|file| std::fs::metadata(file).unwrap().len() == content.len() as u64);
        let damaged = damaged.unwrap();
        if damage == "gone" {
            std::fs::remove_file(damaged).unwrap();
        } else {
            std::fs::set_permissions(damaged, std::fs::Permissions::from_mode(0o600)).unwrap();
            std::fs::File::options().write(true).open(damaged).unwrap().set_len(MIB as u64).unwrap();
        }
        let read = pull(&registry, &repository, &digest).await;
        assert!(matches!(read, Err(Error::BlobUnknown(_))), "{read:?}");
        assert!(head_is_unknown(&registry, &repository, &digest).await);
        push(&registry, &repository, &content).await;
        assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
        assert!(!damaged.exists(), "the damaged bytes are gone");
        // A re-push of a good digest keeps the bytes that are there.
        let files = house.files().0;
        push(&registry, &repository, &content).await;
        assert_eq!(house.files().0, files);
    }
}

async fn head_is_unknown(
    registry: &Registry,
    repository: &berth_oci::RepositoryName,
    digest: &berth_oci::Digest,
) -> bool {
    let caller = caller();
    matches!(registry.as_caller(&caller).blob(repository, digest).await, Err(Error::BlobUnknown(_)))
}
