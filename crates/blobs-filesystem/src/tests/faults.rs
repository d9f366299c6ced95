//! Faults of the file system at every step of a push: the right error, nothing lost, nothing left behind, and it goes on.

use std::sync::Arc;

use berth_blobs::{Blobs, Error, Pieces, Transport};
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt;
use tempfile::TempDir;

use super::story::Story;
use super::{blobs_at, stored, try_blobs_at};
use crate::Options;
use crate::testing::{Fault, FaultyFileSystem, Operation};

fn told(fault: Fault, error: &Error) -> bool {
    match fault {
        Fault::Full => matches!(error, Error::Full(_)),
        Fault::BadDisk | Fault::Unsupported => matches!(error, Error::Io(_)),
        Fault::ReadOnly | Fault::NotPermitted => matches!(error, Error::ReadOnly(_)),
        Fault::TooManyOpenFiles => matches!(error, Error::Exhausted(_)),
    }
}

/// Whether a push may go on in spite of it: what does not go past the page cache goes through it.
fn dispensable(fault: Fault, at: Operation, options: Options) -> bool {
    let direct = options.direct_after == Some(0);
    direct && (at == Operation::SetDirect || at == Operation::Write && fault == Fault::Unsupported)
}

/// Fails every step with every fault, one push after the other; what went on in spite of it.
async fn at_every_step(options: Options) -> Vec<(Fault, Operation)> {
    let mut in_spite = Vec::new();
    for fault in Fault::ALL {
        for step in 0.. {
            let root = TempDir::new().unwrap();
            let files = FaultyFileSystem::new();
            let mut story = Story::new();
            let blobs = blobs_at(root.path(), Arc::new(files.clone()), options);
            files.fail_once(step, fault);
            let outcome = story.run(&blobs).await;
            let struck = files.struck_at();
            files.heal();
            match (&outcome, struck) {
                (Err(error), Some(_)) => assert!(told(fault, error), "step {step}, {fault:?}: {error:?}"),
                (Ok(()), Some(at)) if dispensable(fault, at, options) => in_spite.push((fault, at)),
                (Ok(()), None) => {}
                _ => panic!("step {step}, {fault:?} at {struck:?}: {outcome:?}"),
            }
            story.verify(&blobs).await;
            let begun = story.begun.unwrap();
            let durable = story.checkpoint.map_or(0, |checkpoint| checkpoint.durable);
            for left in stored(&blobs).await {
                let expected = left.published || left.location == begun.location && durable == left.size;
                assert!(expected, "step {step}, {fault:?} leaves {left:?}");
            }
            if struck.is_none() {
                break;
            }
        }
    }
    in_spite
}

#[tokio::test]
async fn one_fault_at_any_step_loses_and_leaves_nothing() {
    assert_eq!(at_every_step(Options::default()).await, []);
}

#[tokio::test]
async fn one_fault_at_any_step_past_the_page_cache_loses_and_leaves_nothing() {
    let in_spite = at_every_step(Options { direct_after: Some(0), map: false }).await;
    for fault in Fault::ALL {
        assert!(in_spite.contains(&(fault, Operation::SetDirect)), "{fault:?}: {in_spite:?}");
    }
    assert!(in_spite.contains(&(Fault::Unsupported, Operation::Write)), "{in_spite:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_pushes_and_serves_on() {
    let root = TempDir::new().unwrap();
    let files = FaultyFileSystem::new();
    let blobs = blobs_at(root.path(), Arc::new(files.clone()), Options::default());
    let location = blobs.put(Bytes::from_static(b"berth")).await.unwrap();
    files.fail_all(&[Operation::Create, Operation::Write], Fault::Full);
    assert!(matches!(blobs.check().await, Err(Error::Full(_))));
    assert!(matches!(blobs.put(Bytes::from_static(b"more")).await, Err(Error::Full(_))));
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    let mut refused = upload.write(Bytes::from(vec![1; 4096])).await;
    if refused.is_ok() {
        refused = upload.checkpoint().await.map(drop);
    }
    assert!(matches!(refused, Err(Error::Full(_))));
    let range = ByteRange { start: 1, end: 3 };
    let read = blobs.read(&location, 5, range, Transport::Plain).await.unwrap();
    assert!(matches!(read.pieces, Pieces::Buffers), "too little to be mapped");
    assert_eq!(read.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"er");
    files.heal();
    blobs.check().await.unwrap();
    blobs.put(Bytes::from_static(b"more")).await.unwrap();
    assert_eq!(stored(&blobs).await.len(), 2);
}

#[tokio::test]
async fn a_checkpoint_that_failed_is_told_to_whoever_comes_after_it_too() {
    let root = TempDir::new().unwrap();
    let files = FaultyFileSystem::new();
    let blobs = blobs_at(root.path(), Arc::new(files.clone()), Options::default());
    files.fail_all(&[Operation::Sync], Fault::Full);
    let mut upload = blobs.open(&blobs.start()).await.unwrap();
    let piece = || Bytes::from(vec![1; 4096]);
    upload.write(piece()).await.unwrap();
    let checkpoints = [upload.checkpoint(), upload.checkpoint()];
    for checkpoint in checkpoints {
        assert!(matches!(checkpoint.await, Err(Error::Full(_))));
    }
    assert!(matches!(upload.write(piece()).await, Err(Error::Full(_))));
    assert!(matches!(upload.checkpoint().await, Err(Error::Full(_))));
    assert!(matches!(upload.publish().await, Err(Error::Full(_))));
}

#[tokio::test]
async fn what_a_reader_meets_is_told_in_its_own_terms() {
    let root = TempDir::new().unwrap();
    let files = FaultyFileSystem::new();
    let blobs = blobs_at(root.path(), Arc::new(files.clone()), Options::default());
    let location = blobs.put(Bytes::from_static(b"berth")).await.unwrap();
    let range = ByteRange { start: 0, end: 5 };
    files.fail_all(&[Operation::Open], Fault::TooManyOpenFiles);
    let error = blobs.read(&location, 5, range, Transport::Plain).await.err();
    assert!(matches!(error, Some(Error::Exhausted(_))), "{error:?}");
}

#[tokio::test]
async fn a_read_only_disk_cannot_be_opened_for_the_first_time() {
    let root = TempDir::new().unwrap();
    let files = FaultyFileSystem::new();
    files.fail_all(&[Operation::MakeDirectory], Fault::ReadOnly);
    let refused = try_blobs_at(root.path(), Arc::new(files), Options::default());
    assert!(matches!(refused, Err(Error::ReadOnly(_))));
}
