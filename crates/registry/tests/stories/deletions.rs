//! What is deleted is gone at once and can come back; what is damaged is healed by the next push.

use std::os::unix::fs::PermissionsExt as _;

use berth_domain::Clock as _;
use berth_metadata::{DeletionReads as _, Restoration};
use berth_oci::Reference;
use berth_registry::{Condition, Error, MissingContent, Registry};
use futures::TryStreamExt as _;

use crate::house::{House, MIB, caller, content, name, open, pull, push, until};
use crate::manifests::{image, push_image, push_to, resolve, tag};

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
    let gone = guarded.manifest(&repository, &Reference::Digest(digest), |_| false).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown(_))), "{gone:?}");
    let restored = guarded.restore(&repository, deletion).await.unwrap();
    assert_eq!((restored.manifests, restored.tags), (1, 1));
    let remembered = house.metadata.deletion(deletion).await.unwrap().unwrap();
    assert_eq!(remembered.deletion.by, caller.actor);
    let (by, at) = (Some(caller.actor.clone()), house.clock.now());
    assert_eq!(remembered.restoration, Some(Restoration { by, at }));
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

/// Another repository has it, and a sparse image here names it.
#[tokio::test]
async fn a_blob_that_is_not_there_is_unknown_to_a_deletion_too() {
    let mut house = House::new().await;
    house.settings.missing_content = MissingContent::Any;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/sparse"));
    let guarded = registry.as_caller(&caller);
    let blob = push(&registry, &name("library/elsewhere"), &content(20)).await;
    let sparse = image(&content(10), &content(20), "sparse");
    push_to(&registry, &repository, "1", &sparse, Condition::Anything).await.unwrap();
    let refused = guarded.delete_blob(&repository, &blob).await;
    assert!(matches!(refused, Err(Error::BlobUnknown(unknown)) if unknown == blob), "{refused:?}");
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

/// It was whole when the answer began: the reader must not take what came for all of it.
#[tokio::test]
async fn bytes_that_end_too_soon_end_the_stream_and_make_the_blob_unknown() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (repository, content) = (name("library/cut"), content(4 * MIB));
    let digest = push(&registry, &repository, &content).await;
    let mut stream = open(&registry, &repository, &digest).await.unwrap();
    let mut came = stream.try_next().await.unwrap().unwrap().len();
    assert!(came < content.len());
    let file = &house.files().0[0];
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::File::options().write(true).open(file).unwrap().set_len(came as u64).unwrap();
    let error = loop {
        match stream.try_next().await {
            Ok(Some(piece)) => came += piece.len(),
            Ok(None) => panic!("{came} of {} bytes, and no error", content.len()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, berth_registry::StorageError::Corrupt(..)), "{error:?}");
    until(async || head_is_unknown(&registry, &repository, &digest).await).await;
    push(&registry, &repository, &content).await;
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

/// What one process remembers may be elsewhere by now; that is no news of the blob.
#[tokio::test]
async fn a_blob_that_another_process_healed_is_read_where_it_is_now() {
    let house = House::new().await;
    let (one, two) = (house.process(1, false).await, house.process(2, false).await);
    let (repository, content) = (name("library/moved"), content(2 * MIB));
    let digest = push(&one, &repository, &content).await;
    assert_eq!(pull(&one, &repository, &digest).await.unwrap(), content);
    std::fs::remove_file(&house.files().0[0]).unwrap();
    assert!(matches!(pull(&two, &repository, &digest).await, Err(Error::BlobUnknown(_))));
    push(&two, &repository, &content).await;
    for registry in [&one, &two, &one] {
        assert_eq!(pull(registry, &repository, &digest).await.unwrap(), content);
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
