//! Storage that fails: of one blob, which is damaged then, or as a whole, which says nothing of any blob.

use std::sync::Arc;

use berth_blobs::Lent;
use berth_blobs_filesystem::MARK;
use berth_blobs_filesystem::testing::{Fault, FaultyFileSystem};
use berth_oci::{ByteRange, Digest, RepositoryName};
use berth_registry::fsck::Options;
use berth_registry::{Error, Registry, StorageError};
use bytes::Bytes;
use futures::TryStreamExt as _;

use crate::house::{House, MIB, caller, content, name, pull, push, until};

/// A house with one blob in it, on a disk whose faults the story owns.
struct Scene {
    house: House,
    files: FaultyFileSystem,
    registry: Registry,
    repository: RepositoryName,
    content: Bytes,
    digest: Digest,
}

impl Scene {
    async fn new() -> Self {
        let files = FaultyFileSystem::new();
        let house = House::new().await.on(Arc::new(files.clone())).marked();
        let registry = house.process(1, true).await;
        let (repository, content) = (name("library/failing"), content(4 * MIB));
        let digest = push(&registry, &repository, &content).await;
        Self { house, files, registry, repository, content, digest }
    }

    async fn is_known(&self) -> bool {
        let caller = caller();
        self.registry.as_caller(&caller).blob(&self.repository, &self.digest).await.is_ok()
    }

    /// Has a window of the blob lost on its way to a client.
    async fn lose_a_window(&self) {
        let (caller, lent) = (caller(), Lent::default());
        let range = ByteRange { start: 0, end: self.content.len() as u64 };
        let guarded = self.registry.as_caller(&caller);
        let read = guarded.read_blob(&self.repository, &self.digest, range, Some(&lent)).await;
        let window = read.unwrap().stream.try_next().await.unwrap().unwrap();
        assert!(lent.holds(&window));
        self.files.fail_reads(&self.house.blobs(), Fault::BadDisk);
        lent.unreadable();
    }
}

#[tokio::test]
async fn a_disk_that_fails_as_a_whole_condemns_no_blob() {
    let scene = Scene::new().await;
    scene.files.fail_reads(&scene.house.blobs(), Fault::BadDisk);
    let pulled = pull(&scene.registry, &scene.repository, &scene.digest).await;
    assert!(matches!(pulled, Err(Error::Storage(StorageError::Away(_)))), "{pulled:?}");
    let check = Options { deep: true, repair: true };
    let checked = scene.registry.fsck(check, &mut |found| panic!("{found:?}")).await;
    assert!(matches!(checked, Err(Error::Storage(StorageError::Away(_)))), "{checked:?}");
    scene.files.heal();
    assert!(scene.is_known().await);
    assert!(pull(&scene.registry, &scene.repository, &scene.digest).await.unwrap() == scene.content);
}

#[tokio::test]
async fn one_blob_that_cannot_be_read_is_unknown_until_it_is_pushed_again() {
    let scene = Scene::new().await;
    let file = scene.house.files().0[0].clone();
    scene.files.fail_reads(&file, Fault::BadDisk);
    let pulled = pull(&scene.registry, &scene.repository, &scene.digest).await;
    assert!(
        matches!(pulled, Err(Error::BlobUnknown(_) | Error::Storage(StorageError::Corrupt(..)))),
        "{pulled:?}"
    );
    until(async || !scene.is_known().await).await;
    push(&scene.registry, &scene.repository, &scene.content).await;
    assert!(pull(&scene.registry, &scene.repository, &scene.digest).await.unwrap() == scene.content);
}

#[tokio::test]
async fn a_window_that_is_lost_with_the_whole_disk_condemns_no_blob() {
    let scene = Scene::new().await;
    let other = scene.house.process(2, true).await;
    let marks = || scene.files.opened().iter().filter(|path| path.ends_with(MARK)).count();
    let before = marks();
    scene.lose_a_window().await;
    // It is read again, and because that fails, so is the mark.
    until(async || marks() > before).await;
    scene.files.heal();
    assert!(scene.is_known().await);
    assert!(pull(&other, &scene.repository, &scene.digest).await.unwrap() == scene.content);
}
