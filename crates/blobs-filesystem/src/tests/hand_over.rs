//! What passes from hand to hand: pieces to a writer that is just back from the disk, files to their published name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use berth_blobs::{BLOCK, Blobs, ByteStream, Pieces, Transport};
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt;
use tempfile::TempDir;

use super::blobs_at;
use crate::layout::{Entry, Name};
use crate::{LocalFileSystem, Options};

const PIECES: usize = 20_000;

/// The bytes in one piece; each buffer goes back before the next is asked for.
async fn collected(stream: ByteStream) -> Vec<u8> {
    let append = |mut all: Vec<u8>, piece: Bytes| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    };
    stream.try_fold(Vec::new(), append).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_piece_is_lost_between_two_ways_to_the_disk() {
    let root = TempDir::new().unwrap();
    let blobs = blobs_at(root.path(), Arc::new(LocalFileSystem), Options::default());
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    let mut expected = Vec::with_capacity(PIECES * BLOCK);
    for number in 0..PIECES {
        let piece = vec![u8::try_from(number % 251).unwrap(); BLOCK];
        expected.extend_from_slice(&piece);
        upload.write(Bytes::from(piece)).await.unwrap();
        // Pieces come at every distance from the end of the trip before.
        for _ in 0..number % 64 {
            tokio::task::yield_now().await;
        }
    }
    let checkpoint = upload.checkpoint().await.unwrap();
    assert_eq!(checkpoint.durable, expected.len() as u64);
    assert!(collected(blobs.read_upload(&checkpoint).await.unwrap()).await == expected);
    let location = upload.publish().await.unwrap();
    let whole = ByteRange { start: 0, end: expected.len() as u64 };
    let read = blobs.read(&location, whole.end, whole, Transport::Plain).await.unwrap();
    assert!(matches!(read.pieces, Pieces::Windows(_)));
    assert!(collected(read.stream).await == expected);
}

#[tokio::test]
async fn what_is_published_may_be_read_and_never_written() {
    let root = TempDir::new().unwrap();
    let blobs = blobs_at(root.path(), Arc::new(LocalFileSystem), Options::default());
    let put = blobs.put(Bytes::from_static(b"berth")).await.unwrap();
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    upload.write(Bytes::from(vec![1; 2 * BLOCK + 1])).await.unwrap();
    for location in [put, upload.publish().await.unwrap()] {
        let path = blobs.disk.layout.path(Entry::Blob(Name::of(&location).unwrap()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o440, "{location}");
    }
}

#[tokio::test]
async fn an_upload_that_is_left_with_two_names_goes_on_with_one() {
    let root = TempDir::new().unwrap();
    let blobs = blobs_at(root.path(), Arc::new(LocalFileSystem), Options::default());
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    upload.write(Bytes::from(vec![1; BLOCK])).await.unwrap();
    let checkpoint = upload.checkpoint().await.unwrap();
    drop(upload);
    let name = Name::of(&checkpoint.location).unwrap();
    let [unfinished, published] =
        [Entry::Upload(name), Entry::Blob(name)].map(|at| blobs.disk.layout.path(at));
    fs::create_dir_all(published.parent().unwrap()).unwrap();
    fs::hard_link(&unfinished, &published).unwrap();
    let mut upload = blobs.open(&checkpoint).await.unwrap();
    assert!(!published.exists());
    upload.write(Bytes::from(vec![2; BLOCK])).await.unwrap();
    upload.publish().await.unwrap();
    assert!(published.exists() && !unfinished.exists());
}
