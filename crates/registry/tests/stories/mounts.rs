//! Blobs that come from other repositories.

use berth_oci::Digest;
use berth_registry::Mount;

use crate::house::{House, MIB, NEXT, body, caller, content, name, pull, push};

#[tokio::test]
async fn a_blob_comes_from_a_named_or_any_repository() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let caller = caller();
    let guarded = registry.as_caller(&caller);
    let (source, named, any) = (name("library/source"), name("team/named"), name("team/any"));
    for size in [10, 2 * MIB] {
        let content = content(size);
        let digest = push(&registry, &source, &content).await;
        let mounted = guarded.mount_blob(&named, &digest, Some(&source)).await.unwrap();
        assert_eq!(mounted, Mount::Mounted(digest));
        assert_eq!(pull(&registry, &named, &digest).await.unwrap(), content);
        assert_eq!(guarded.mount_blob(&any, &digest, None).await.unwrap(), Mount::Mounted(digest));
        assert_eq!(pull(&registry, &any, &digest).await.unwrap(), content);
    }
    assert_eq!(house.files().0.len(), 1, "nothing was copied");
}

#[tokio::test]
async fn what_cannot_be_mounted_is_uploaded() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let caller = caller();
    let guarded = registry.as_caller(&caller);
    let (source, target) = (name("library/source"), name("library/target"));
    let content = content(100);
    let digest = Digest::sha256(&content);
    let unknown = guarded.mount_blob(&target, &digest, Some(&source)).await.unwrap();
    assert!(matches!(unknown, Mount::Upload(_)), "{unknown:?}");
    push(&registry, &source, &content).await;
    guarded.delete_blob(&source, &digest).await.unwrap();
    // Its bytes are still known, but no repository has it any more.
    for from in [Some(&source), None] {
        let Mount::Upload(ticket) = guarded.mount_blob(&target, &digest, from).await.unwrap() else {
            panic!("a digest alone gives no right to the content");
        };
        guarded.finish_upload(&target, &ticket, digest, NEXT, body(&content)).await.unwrap();
        guarded.delete_blob(&target, &digest).await.unwrap();
    }
}
