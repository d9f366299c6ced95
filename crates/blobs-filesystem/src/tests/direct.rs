//! Writes past the page cache: where they begin, where they end, and what is done where there are none.

use std::path::Path;
use std::sync::Arc;

use berth_blobs::{BLOCK, Blobs, BufferPool, Location, Transport};
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt;
use tempfile::TempDir;

use super::blobs_at;
use crate::testing::{AroundWrites, Fault, FaultyFileSystem, Operation, WatchedWrites, Write};
use crate::{FileSystem, FilesystemBlobs, Options};

/// After how many bytes the page cache is bypassed.
const AFTER: usize = 8 * BLOCK;
const OPTIONS: Options = Options { direct_after: Some(AFTER as u64), map: false };
/// What comes behind the last whole block.
const TAIL: usize = 7;

/// A directory on the disk of the build: the one of temporary files is often in memory.
fn directory() -> TempDir {
    let test = std::env::current_exe().unwrap();
    TempDir::new_in(test.parent().unwrap()).unwrap()
}

/// Memory that is aligned, as that of all bodies is.
fn aligned(length: usize, mark: u8) -> Bytes {
    let mut buffer = BufferPool::new(0).try_take(length).unwrap();
    buffer.append(&vec![mark; length]);
    buffer.freeze()
}

/// The same that is not.
fn misaligned(length: usize, mark: u8) -> Bytes {
    aligned(length + BLOCK, mark).slice(1..=length)
}

/// Uploads these pieces, each written before the next one comes, and the tail behind them.
async fn upload(root: &Path, files: Arc<dyn FileSystem>, pieces: &[Bytes]) -> (FilesystemBlobs, Location) {
    let blobs = blobs_at(root, files, OPTIONS);
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    for piece in pieces {
        upload.write(piece.clone()).await.unwrap();
        upload.checkpoint().await.unwrap();
    }
    upload.write(aligned(TAIL, u8::MAX)).await.unwrap();
    let location = upload.publish().await.unwrap();
    (blobs, location)
}

async fn assert_whole(blobs: &FilesystemBlobs, location: &Location, pieces: &[Bytes]) {
    let expected = [pieces.concat(), vec![u8::MAX; TAIL]].concat();
    let range = ByteRange { start: 0, end: expected.len() as u64 };
    let stream = blobs.read(location, range.end, range, Transport::Touched).await.unwrap().stream;
    assert!(stream.try_collect::<Vec<_>>().await.unwrap().concat() == expected);
}

#[tokio::test]
async fn a_long_body_passes_by_the_page_cache_as_far_as_it_is_aligned() {
    let (root, files) = (directory(), AroundWrites(WatchedWrites::default()));
    let can = WatchedWrites::can_pass_by_the_page_cache(root.path());
    let pieces = [
        aligned(AFTER - BLOCK, 1),
        aligned(BLOCK, 2),
        aligned(4 * BLOCK, 3),
        misaligned(2 * BLOCK, 4),
        aligned(3 * BLOCK, 5),
    ];
    let (blobs, location) = upload(root.path(), Arc::new(files.clone()), &pieces).await;
    let (mut expected, mut offset) = (Vec::new(), 0);
    // The first two are what has to come before; a file system that cannot is written to as ever.
    for (length, direct) in pieces.iter().map(Bytes::len).zip([false, false, can, false, can]) {
        expected.push(Write { offset, length: length as u64, direct });
        offset += length as u64;
    }
    expected.push(Write { offset, length: TAIL as u64, direct: false });
    assert_eq!(files.0.writes(), expected, "can: {can}");
    assert_whole(&blobs, &location, &pieces).await;
}

#[tokio::test]
async fn a_file_system_without_it_takes_every_body() {
    let (root, files) = (directory(), FaultyFileSystem::new());
    files.fail_all(&[Operation::SetDirect], Fault::Unsupported);
    let pieces = [aligned(AFTER, 1), aligned(4 * BLOCK, 2), aligned(4 * BLOCK, 3)];
    let (blobs, location) = upload(root.path(), Arc::new(files.clone()), &pieces).await;
    assert_eq!(files.struck_at(), Some(Operation::SetDirect), "it was tried");
    assert_whole(&blobs, &location, &pieces).await;
}
