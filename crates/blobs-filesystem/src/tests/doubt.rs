//! What a read that fails says: of one file, of all of them, once or again and again.

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use berth_blobs::{Blobs as _, Error, Location, Reading, Result, Transport};
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt as _;
use tempfile::TempDir;
use uuid::Uuid;

use super::blobs_at;
use crate::layout::{Entry, Name};
use crate::testing::{Fault, FaultyFileSystem, Operation};
use crate::{FilesystemBlobs, Options};

/// More than one window.
const SIZE: u64 = 17 << 20;
const TRANSPORTS: [Transport; 2] = [Transport::Plain, Transport::Touched];

/// A marked directory with one blob in it.
struct Scene {
    root: TempDir,
    files: FaultyFileSystem,
    blobs: FilesystemBlobs,
    location: Location,
    /// Where the blob lies.
    path: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let (root, files) = (TempDir::new().unwrap(), FaultyFileSystem::new());
        let blobs = blobs_at(root.path(), Arc::new(files.clone()), Options::default());
        blobs.mark(Uuid::from_u128(7)).await.unwrap();
        let location = blobs.put(Bytes::from(vec![7; usize::try_from(SIZE).unwrap()])).await.unwrap();
        let path = blobs.disk.layout.path(Entry::Blob(Name::of(&location).unwrap()));
        Self { root, files, blobs, location, path }
    }

    async fn open(&self, transport: Transport) -> Result<Reading> {
        self.blobs.read(&self.location, SIZE, ByteRange { start: 0, end: SIZE }, transport).await
    }

    /// How many bytes can be read.
    async fn read(&self, transport: Transport) -> Result<u64> {
        drain(self.open(transport).await?).await
    }

    fn is_corrupt(&self, outcome: &Result<u64>) -> bool {
        matches!(outcome, Err(Error::Corrupt(at, _)) if *at == self.location)
    }
}

async fn drain(reading: Reading) -> Result<u64> {
    reading.stream.try_fold(0, |read, piece| async move { Ok(read + piece.len() as u64) }).await
}

#[tokio::test]
async fn one_file_that_cannot_be_read_is_damaged() {
    let scene = Scene::new().await;
    for transport in TRANSPORTS {
        scene.files.fail_reads(&scene.path, Fault::BadDisk);
        let outcome = scene.read(transport).await;
        assert!(scene.is_corrupt(&outcome), "{transport:?}: {outcome:?}");
        scene.files.heal();
        assert_eq!(scene.read(transport).await.unwrap(), SIZE);
    }
}

#[tokio::test]
async fn a_disk_of_which_nothing_can_be_read_says_nothing_of_a_file() {
    let scene = Scene::new().await;
    for transport in TRANSPORTS {
        scene.files.fail_reads(scene.root.path(), Fault::BadDisk);
        let outcome = scene.read(transport).await;
        assert!(matches!(outcome, Err(Error::Away(_))), "{transport:?}: {outcome:?}");
        scene.files.fail_all(&[Operation::Open], Fault::BadDisk);
        let outcome = scene.read(transport).await;
        assert!(matches!(outcome, Err(Error::Away(_))), "{transport:?}: {outcome:?}");
        scene.files.heal();
        assert_eq!(scene.read(transport).await.unwrap(), SIZE);
    }
}

#[tokio::test]
async fn the_same_is_said_in_the_middle() {
    let scene = Scene::new().await;
    for transport in TRANSPORTS {
        for (failing, damaged) in [(scene.path.as_path(), true), (scene.root.path(), false)] {
            let mut reading = scene.open(transport).await.unwrap();
            assert!(reading.stream.try_next().await.unwrap().is_some());
            scene.files.fail_reads(failing, Fault::BadDisk);
            let outcome = drain(reading).await;
            assert_eq!(scene.is_corrupt(&outcome), damaged, "{transport:?}: {outcome:?}");
            assert_eq!(matches!(outcome, Err(Error::Away(_))), !damaged, "{transport:?}: {outcome:?}");
            scene.files.heal();
        }
    }
}

#[tokio::test]
async fn what_can_be_read_the_second_time_is_whole() {
    let scene = Scene::new().await;
    for transport in TRANSPORTS {
        scene.files.fail_some_reads(&scene.path, 1, Fault::BadDisk);
        assert_eq!(scene.read(transport).await.unwrap(), SIZE, "{transport:?}");
        assert!(scene.files.struck());
    }
}

#[tokio::test]
async fn a_file_is_missing_only_where_the_mark_is_there() {
    let scene = Scene::new().await;
    fs::remove_file(&scene.path).unwrap();
    let outcome = scene.read(Transport::Touched).await;
    assert!(matches!(&outcome, Err(Error::Missing(at)) if *at == scene.location), "{outcome:?}");
    assert_eq!(scene.blobs.inspect(&scene.location).await.unwrap(), None);
    fs::remove_file(scene.blobs.disk.layout.path(Entry::Mark)).unwrap();
    for outcome in [scene.read(Transport::Touched).await.map(drop), scene.blobs.check().await] {
        assert!(matches!(outcome, Err(Error::Away(_))), "{outcome:?}");
    }
    assert!(matches!(scene.blobs.inspect(&scene.location).await, Err(Error::Away(_))));
}

#[tokio::test]
async fn what_may_not_be_read_is_named() {
    let scene = Scene::new().await;
    scene.files.fail_all(&[Operation::Open], Fault::NotPermitted);
    let error = scene.read(Transport::Touched).await.unwrap_err();
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert!(
        why.contains(scene.location.as_str()) && why.contains(&scene.path.display().to_string()),
        "{why}"
    );
    assert!(why.contains("ermission denied"), "{why}");
}
