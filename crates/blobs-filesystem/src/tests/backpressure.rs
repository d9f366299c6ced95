//! A disk that does not keep up: the client waits, memory stays bounded, and who takes an upload over waits for what is under way.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use berth_blobs::{Blobs, BufferPool, Checkpoint, Transport, Upload};
use berth_domain::SystemEntropy;
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use tempfile::TempDir;

use super::blobs_at;
use crate::testing::{AroundWrite, AroundWrites};
use crate::{FilesystemBlobs, LocalFileSystem, Options};

/// What lets writes stand still until it is let go.
#[derive(Clone, Debug, Default)]
struct Stuck {
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    open: bool,
    /// How many writes stand before it.
    before: usize,
}

impl Stuck {
    fn let_go(&self) {
        self.gate.0.lock().unwrap().open = true;
        self.gate.1.notify_all();
    }

    /// Waits until a write stands before the gate.
    async fn reached(&self) {
        let gate = Arc::clone(&self.gate);
        let wait = move || drop(gate.1.wait_while(gate.0.lock().unwrap(), |gate| gate.before == 0).unwrap());
        tokio::task::spawn_blocking(wait).await.unwrap();
    }

    fn pass(&self) {
        let mut gate = self.gate.0.lock().unwrap();
        gate.before += 1;
        self.gate.1.notify_all();
        drop(self.gate.1.wait_while(gate, |gate| !gate.open).unwrap());
    }
}

impl AroundWrite for Stuck {
    fn around(&self, _: &Path, _: u64, _: u64, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.pass();
        write()
    }
}

fn piece(mark: u8) -> Bytes {
    Bytes::from(vec![mark; 1 << 20])
}

/// An upload whose first piece stands before the gate.
async fn stuck() -> (TempDir, Stuck, Box<dyn Upload>) {
    let (root, disk) = (TempDir::new().unwrap(), Stuck::default());
    let blobs = blobs_at(root.path(), Arc::new(AroundWrites(disk.clone())), Options::default());
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    upload.write(piece(0)).await.unwrap();
    disk.reached().await;
    (root, disk, upload)
}

/// Writes until the upload takes no more; how many pieces it took.
async fn fill(upload: &mut dyn Upload, disk: &Stuck) -> u8 {
    upload.write(piece(0)).await.unwrap();
    disk.reached().await;
    for mark in 1..=u8::MAX {
        match upload.write(piece(mark)).now_or_never() {
            Some(outcome) => outcome.unwrap(),
            None => return mark + 1,
        }
    }
    panic!("a disk that stands still takes pieces without end");
}

#[tokio::test]
async fn a_slow_disk_holds_the_client_back() {
    let (root, disk) = (TempDir::new().unwrap(), Stuck::default());
    let blobs = blobs_at(root.path(), Arc::new(AroundWrites(disk.clone())), Options::default());
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    let taken = fill(&mut *upload, &disk).await;
    assert_eq!(taken, 5, "one on its way and four that wait");
    disk.let_go();
    let checkpoint = upload.checkpoint().await.unwrap();
    assert_eq!(checkpoint.durable, u64::from(taken) << 20, "the call that was cancelled has given its piece");
    let location = upload.publish().await.unwrap();
    let range = ByteRange { start: 0, end: checkpoint.durable };
    let mut stream = blobs.read(&location, range.end, range, Transport::Touched).await.unwrap().stream;
    let mut at = 0_usize;
    while let Some(bytes) = stream.try_next().await.unwrap() {
        for byte in &bytes {
            assert_eq!(usize::from(*byte), at >> 20, "at {at}");
            at += 1;
        }
    }
}

#[tokio::test]
async fn a_checkpoint_waits_for_what_came_before_it_and_holds_up_nothing() {
    let (_root, disk, mut upload) = stuck().await;
    let mut first = upload.checkpoint();
    for mark in 1..4 {
        upload.write(piece(mark)).now_or_never().expect("there is room").unwrap();
    }
    assert!(futures::poll!(&mut first).is_pending());
    let second = upload.checkpoint();
    assert!(upload.write(piece(4)).now_or_never().is_none(), "four wait");
    disk.let_go();
    assert_eq!((first.await.unwrap().durable, second.await.unwrap().durable), (1 << 20, 4 << 20));
    assert_eq!(upload.checkpoint().await.unwrap().durable, 5 << 20);
}

#[tokio::test]
async fn a_checkpoint_whose_upload_is_dropped_says_so() {
    let (_root, disk, mut upload) = stuck().await;
    let checkpoint = upload.checkpoint();
    drop(upload);
    disk.let_go();
    checkpoint.await.unwrap_err();
}

#[tokio::test]
async fn readers_who_let_nothing_go_leave_room_for_little_reads() {
    let root = TempDir::new().unwrap();
    let buffers = BufferPool::new(1 << 20);
    let (entropy, files) = (Arc::new(SystemEntropy), Arc::new(LocalFileSystem));
    let blobs =
        FilesystemBlobs::open(root.path(), entropy, buffers.clone(), files, Options::default()).unwrap();
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    upload.write(piece(7)).await.unwrap();
    let location = upload.publish().await.unwrap();
    let range = ByteRange { start: 0, end: 1 << 20 };
    let mut held = Vec::new();
    // Three large pieces; what a fourth would take is enough for sixteen little ones.
    for reader in 0..3 + 16 {
        let mut stream = blobs.read(&location, range.end, range, Transport::Touched).await.unwrap().stream;
        let next = tokio::time::timeout(Duration::from_mins(1), stream.try_next()).await;
        let piece = next.unwrap_or_else(|_| panic!("reader {reader} waits")).unwrap().unwrap();
        assert_eq!(piece.len(), if reader < 3 { 256 << 10 } else { 16 << 10 }, "reader {reader}");
        held.push((stream, piece));
    }
    assert_eq!(buffers.in_use(), buffers.budget());
    // Who has a piece already gets another when it has left.
    let (mut first, piece) = held.remove(0);
    let mut next = first.try_next();
    assert!(futures::poll!(&mut next).is_pending());
    drop(held);
    assert!(futures::poll!(&mut next).is_pending(), "whatever there is");
    drop(piece);
    assert_eq!(next.await.unwrap().unwrap().len(), 256 << 10);
}

#[tokio::test]
async fn a_successor_waits_for_the_write_that_is_under_way() {
    let (root, disk) = (TempDir::new().unwrap(), Stuck::default());
    let blobs = blobs_at(root.path(), Arc::new(AroundWrites(disk.clone())), Options::default());
    let start: Checkpoint = blobs.start();
    let mut first = blobs.open(&start).await.unwrap();
    fill(&mut *first, &disk).await;
    drop(first);
    let mut second = Box::pin(blobs.open(&start));
    assert!(futures::poll!(&mut second).is_pending(), "the first one's write is still under way");
    disk.let_go();
    let mut second = second.await.unwrap();
    second.write(Bytes::from(vec![9; 4096])).await.unwrap();
    let location = second.publish().await.unwrap();
    assert_eq!(blobs.inspect(&location).await.unwrap().unwrap().size, 4096, "what the first one had is gone");
}
