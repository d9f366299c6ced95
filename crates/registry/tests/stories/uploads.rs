//! Uploads that go well, and bodies that do not keep what was said.

use std::sync::Arc;

use berth_blobs_filesystem::testing::{Fault, FaultyFileSystem, Operation};
use berth_metadata::UploadReads as _;
use berth_oci::{Algorithm, Digest};
use berth_registry::{BodyError, Error, UploadTicket};

use crate::house::{
    House, MIB, NEXT, at, body, broken, by_hand, caller, content, empty, name, offset, pull, push, reaches,
    streamed, until,
};

#[tokio::test]
async fn every_way_of_pushing_brings_the_bytes_back() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/ways"));
    let guarded = registry.as_caller(&caller);
    for size in [0, 1, 4095, 4096, 4097, 16 << 10, (16 << 10) + 1, 70_000, MIB, MIB + 1, 5 * MIB + 7] {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let content = content(size);
            let digest = Digest::of(algorithm, &content);
            // One request.
            guarded.upload_blob(&repository, digest, body(&content)).await.unwrap();
            assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content, "{size}");
            // POST and PUT, with the algorithm named and not.
            for named in [None, Some(algorithm)] {
                let ticket = guarded.start_upload(&repository, named).await.unwrap();
                guarded.finish_upload(&repository, &ticket, digest, NEXT, body(&content)).await.unwrap();
            }
            // As docker does: one chunk of unknown length, then an empty PUT.
            let ticket = guarded.start_upload(&repository, None).await.unwrap();
            let status = guarded.write_chunk(&repository, &ticket, NEXT, streamed(&content)).await.unwrap();
            assert_eq!(status.offset, size as u64);
            guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
            // Chunks with positions, the last one in the PUT.
            let ticket = guarded.start_upload(&repository, Some(algorithm)).await.unwrap();
            let (first, last) = (content.slice(..size / 3), content.slice(size / 3..));
            if !first.is_empty() {
                let position = at(0, first.len() as u64);
                guarded.write_chunk(&repository, &ticket, position, body(&first)).await.unwrap();
            }
            let position = if last.is_empty() { NEXT } else { at(first.len() as u64, size as u64) };
            guarded.finish_upload(&repository, &ticket, digest, position, body(&last)).await.unwrap();
            assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content, "{size}");
        }
    }
    let (published, unfinished) = house.files();
    // Small ones are in the database; each large one has one file for each of its two digests.
    assert_eq!((published.len(), unfinished.len()), (2 * 5, 0), "{published:?} {unfinished:?}");
}

#[tokio::test]
async fn small_bodies_cost_no_row_and_small_blobs_no_file() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/small"));
    let guarded = registry.as_caller(&caller);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    assert_eq!(offset(&registry, &repository, &ticket).await, 0);
    push(&registry, &repository, &content(1000)).await;
    let large = content(MIB);
    guarded.finish_upload(&repository, &ticket, Digest::sha256(&large), NEXT, body(&large)).await.unwrap();
    assert_eq!(house.rows().await, 0);
    assert_eq!(house.files().0.len(), 1);
}

#[tokio::test]
async fn chunks_of_one_byte_stay_in_the_row() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/chunks"));
    let guarded = registry.as_caller(&caller);
    let content = content(200);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    for n in 0..content.len() {
        let chunk = content.slice(n..=n);
        let position = at(n as u64, n as u64 + 1);
        guarded.write_chunk(&repository, &ticket, position, body(&chunk)).await.unwrap();
    }
    assert_eq!(house.files(), (vec![], vec![]));
    assert_eq!(offset(&registry, &repository, &ticket).await, 200);
    let digest = Digest::sha256(&content);
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn odd_chunks_pass_through_row_and_file() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/odd"));
    let guarded = registry.as_caller(&caller);
    let content = content(3 * MIB);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (mut sent, mut size) = (0, 1);
    while sent < content.len() {
        let end = (sent + size).min(content.len());
        let chunk = content.slice(sent..end);
        let chunk = if size % 2 == 0 { body(&chunk) } else { streamed(&chunk) };
        let status =
            guarded.write_chunk(&repository, &ticket, at(sent as u64, end as u64), chunk).await.unwrap();
        assert_eq!(status.offset, end as u64);
        (sent, size) = (end, size * 3 + 1);
    }
    let digest = Digest::sha256(&content);
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn chunks_out_of_order_are_refused_and_the_session_survives() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/order"));
    let guarded = registry.as_caller(&caller);
    let content = content(100);
    let digest = Digest::sha256(&content);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (first, last) = (content.slice(..60), content.slice(60..));
    guarded.write_chunk(&repository, &ticket, at(0, 60), body(&first)).await.unwrap();
    for start in [0, 59, 61] {
        let position = at(start, start + 40);
        let refused = guarded.write_chunk(&repository, &ticket, position, body(&last)).await;
        assert!(matches!(refused, Err(Error::OutOfOrder { offset: 60 })), "{refused:?}");
        let refused = guarded.finish_upload(&repository, &ticket, digest, position, body(&last)).await;
        assert!(matches!(refused, Err(Error::OutOfOrder { offset: 60 })), "{refused:?}");
    }
    let refused = guarded.write_chunk(&repository, &ticket, at(60, 99), body(&last)).await;
    assert!(matches!(refused, Err(Error::SizeMismatch { expected: 39, actual: 40 })), "{refused:?}");
    assert_eq!(offset(&registry, &repository, &ticket).await, 60);
    guarded.finish_upload(&repository, &ticket, digest, at(60, 100), body(&last)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_digest_leaves_the_session_as_it_was() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/wrong"));
    let guarded = registry.as_caller(&caller);
    let wrong = Digest::sha256(b"something else");
    for (first, last) in
        [(0, 100), (100, 0), (100, 100), (MIB, 10), (MIB + 5, 0), (10, 7 * MIB), (0, 3 * MIB)]
    {
        let content = content(first + last);
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        if first > 0 {
            let chunk = body(&content.slice(..first));
            guarded.write_chunk(&repository, &ticket, NEXT, chunk).await.unwrap();
        }
        for digest in [wrong, Digest::of(Algorithm::Sha512, b"something else")] {
            let chunk = body(&content.slice(first..));
            let refused = guarded.finish_upload(&repository, &ticket, digest, NEXT, chunk).await;
            assert!(matches!(refused, Err(Error::DigestMismatch { .. })), "{first}+{last}: {refused:?}");
            assert_eq!(offset(&registry, &repository, &ticket).await, first as u64, "{first}+{last}");
        }
        let (digest, chunk) = (Digest::sha256(&content), body(&content.slice(first..)));
        guarded.finish_upload(&repository, &ticket, digest, NEXT, chunk).await.unwrap();
        assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
    }
    assert!(matches!(guarded.blob(&repository, &wrong).await, Err(Error::BlobUnknown(_))));
    assert_eq!(house.files().1, Vec::<std::path::PathBuf>::new());
}

/// What comes is hashed on the way, also across processes: only an algorithm that nobody had declared costs a look back.
#[tokio::test]
async fn no_byte_is_read_twice_to_close_by_the_algorithm_that_was_declared() {
    let files = FaultyFileSystem::new();
    let house = House::new().await.on(Arc::new(files.clone()));
    let (here, there) = (house.process(1, true).await, house.process(2, true).await);
    let (caller, repository, content) = (caller(), name("library/once"), content(3 * MIB + 7));
    for (declared, algorithm, expected) in [
        (None, Algorithm::Sha256, 0),
        (Some(Algorithm::Sha512), Algorithm::Sha512, 0),
        (None, Algorithm::Sha512, 1),
    ] {
        for (closing, first) in [(&here, MIB), (&here, content.len()), (&there, MIB), (&there, content.len())]
        {
            let guarded = here.as_caller(&caller);
            let ticket = guarded.start_upload(&repository, declared).await.unwrap();
            let chunk = body(&content.slice(..first));
            guarded.write_chunk(&repository, &ticket, NEXT, chunk).await.unwrap();
            let (digest, rest) = (Digest::of(algorithm, &content), body(&content.slice(first..)));
            let before = files.opened().len();
            closing.as_caller(&caller).finish_upload(&repository, &ticket, digest, NEXT, rest).await.unwrap();
            let read = files.opened().len() - before;
            assert_eq!(read, expected, "{declared:?}, {algorithm:?}, {first} and the rest");
            assert_eq!(pull(&here, &repository, &digest).await.unwrap(), content);
        }
    }
}

#[tokio::test]
async fn a_close_that_failed_can_be_sent_again() {
    let files = FaultyFileSystem::new();
    let house = House::new().await.on(Arc::new(files.clone()));
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/again"));
    let guarded = registry.as_caller(&caller);
    let steps = [Operation::Sync, Operation::Rename, Operation::SyncDirectory, Operation::Write];
    for (step, algorithm) in
        steps.into_iter().flat_map(|step| [(step, Algorithm::Sha256), (step, Algorithm::Sha512)])
    {
        for (first, last) in [(3 * MIB + 5, 10), (3 * MIB, 5 * MIB + 1), (0, 5 * MIB)] {
            let content = content(first + last);
            let ticket = guarded.start_upload(&repository, None).await.unwrap();
            if first > 0 {
                let chunk = body(&content.slice(..first));
                guarded.write_chunk(&repository, &ticket, NEXT, chunk).await.unwrap();
            }
            let digest = Digest::of(algorithm, &content);
            let rest = || body(&content.slice(first..));
            files.fail_all(&[step], Fault::BadDisk);
            let failed = guarded.finish_upload(&repository, &ticket, digest, NEXT, rest()).await;
            assert!(failed.is_err(), "{step:?} {first}+{last}");
            files.heal();
            assert_eq!(
                offset(&registry, &repository, &ticket).await,
                first as u64,
                "{step:?} {first}+{last}"
            );
            guarded.finish_upload(&repository, &ticket, digest, NEXT, rest()).await.unwrap();
            assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
        }
    }
}

/// The body is whole before it shows, and an earlier checkpoint of the same request had been written down.
#[tokio::test]
async fn a_close_whose_last_checkpoint_failed_can_be_sent_again() {
    let files = FaultyFileSystem::new();
    let house = House::new().await.on(Arc::new(files.clone()));
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/last"));
    let guarded = registry.as_caller(&caller);
    // Two checkpoints' worth.
    let content = content(4 * MIB);
    let digest = Digest::sha256(&content);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, whole) = by_hand(content.len());
    let closing = guarded.finish_upload(&repository, &ticket, digest, NEXT, whole);
    let feeding = async {
        sender.unbounded_send(Ok(content.slice(..3 * MIB))).unwrap();
        reaches(&registry, &repository, &ticket, 2 * MIB as u64).await;
        files.fail_all(&[Operation::Sync], Fault::BadDisk);
        sender.unbounded_send(Ok(content.slice(3 * MIB..))).unwrap();
    };
    let (failed, ()) = tokio::join!(closing, feeding);
    assert!(matches!(failed, Err(Error::Storage(_))), "{failed:?}");
    files.heal();
    assert_eq!(offset(&registry, &repository, &ticket).await, 0);
    guarded.finish_upload(&repository, &ticket, digest, NEXT, body(&content)).await.unwrap();
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn a_body_longer_than_its_position_is_not_kept() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/long"));
    let guarded = registry.as_caller(&caller);
    let content = content(4 * MIB);
    for end in [10, 3 * MIB as u64, 5 * MIB as u64] {
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        let refused = guarded.write_chunk(&repository, &ticket, at(0, end), streamed(&content)).await;
        assert!(matches!(refused, Err(Error::SizeMismatch { .. })), "{end}: {refused:?}");
        assert_eq!(offset(&registry, &repository, &ticket).await, 0);
        guarded.write_chunk(&repository, &ticket, at(0, 4 * MIB as u64), streamed(&content)).await.unwrap();
    }
}

#[tokio::test]
async fn a_broken_body_keeps_what_came() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/broken"));
    let guarded = registry.as_caller(&caller);
    for (came, size) in [(10, 100), (30_000, 50_000), (3 * MIB, 4 * MIB), (2 * MIB + 13, 3 * MIB)] {
        let content = content(size);
        let digest = Digest::sha256(&content);
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        let chunk = broken(&content.slice(..came), size as u64);
        let outcome = guarded.write_chunk(&repository, &ticket, NEXT, chunk).await;
        assert!(matches!(outcome, Err(Error::Body(BodyError::Disconnected))), "{outcome:?}");
        assert_eq!(offset(&registry, &repository, &ticket).await, came as u64);
        // The closing body breaks too, one byte further on.
        let chunk = broken(&content.slice(came..=came), (size - came) as u64);
        let outcome = guarded.finish_upload(&repository, &ticket, digest, NEXT, chunk).await;
        assert!(matches!(outcome, Err(Error::Body(BodyError::Disconnected))), "{outcome:?}");
        let rest = body(&content.slice(came + 1..));
        guarded
            .finish_upload(&repository, &ticket, digest, at(came as u64 + 1, size as u64), rest)
            .await
            .unwrap();
        assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
    }
}

#[tokio::test]
async fn a_dropped_request_still_ends_in_a_checkpoint() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/dropped"));
    let guarded = registry.as_caller(&caller);
    let content = content(MIB + 300_000);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(2 * MIB);
    sender.unbounded_send(Ok(content.clone())).unwrap();
    {
        let request = guarded.write_chunk(&repository, &ticket, NEXT, chunk);
        tokio::pin!(request);
        tokio::select! {
            outcome = &mut request => panic!("the body is not over: {outcome:?}"),
            // Its writer holds the lease, and the body is in its hands.
            () = until(async || house.rows().await > 0) => {}
        }
    }
    sender.unbounded_send(Err(BodyError::Disconnected)).unwrap();
    reaches(&registry, &repository, &ticket, content.len() as u64).await;
    let digest = Digest::sha256(&content);
    registry.settle(std::time::Duration::from_mins(1)).await;
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn tickets_are_good_for_their_own_repository_only() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository, other) = (caller(), name("library/mine"), name("library/other"));
    let guarded = registry.as_caller(&caller);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let forged = UploadTicket { state: ticket.state.replace('0', "1"), ..ticket.clone() };
    for (repository, ticket) in [(&other, &ticket), (&repository, &forged)] {
        let outcome = guarded.upload_status(repository, ticket).await;
        assert!(matches!(outcome, Err(Error::UploadUnknown)), "{outcome:?}");
        let outcome = guarded.write_chunk(repository, ticket, NEXT, body(&content(5))).await;
        assert!(matches!(outcome, Err(Error::UploadUnknown)), "{outcome:?}");
    }
    assert_eq!(house.metadata.uploads(None, 10).await.unwrap(), []);
    // Of another process over the same data it is good: the key is the installation's.
    let other = house.process(2, false).await;
    assert_eq!(offset(&other, &repository, &ticket).await, 0);
}

#[tokio::test]
async fn a_body_that_stands_still_does_not_keep_the_memory_that_others_need() {
    let house = House { budget: MIB, ..House::new().await };
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/scarce"));
    let guarded = registry.as_caller(&caller);
    let contents = [content(700), content(100_001), content(3 * MIB), content(MIB + 4097)];
    let mut held = Vec::new();
    for content in &contents {
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        let (sender, chunk) = by_hand(content.len());
        sender.unbounded_send(Ok(content.slice(..content.len() - 99))).unwrap();
        let (registry, repository, writer) = (registry.clone(), repository.clone(), ticket.clone());
        let writing = tokio::spawn(async move {
            let caller = crate::house::caller();
            registry.as_caller(&caller).write_chunk(&repository, &writer, NEXT, chunk).await
        });
        held.push((ticket, sender, writing));
    }
    let moving = content(5 * MIB);
    let digest = push(&registry, &repository, &moving).await;
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), moving);
    for (content, (ticket, sender, writing)) in contents.iter().zip(held) {
        sender.unbounded_send(Ok(content.slice(content.len() - 99..))).unwrap();
        assert_eq!(writing.await.unwrap().unwrap().offset, content.len() as u64);
        let digest = Digest::sha256(content);
        guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
        assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), *content);
    }
}

#[tokio::test]
async fn a_failed_single_request_leaves_nothing() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/nothing"));
    let guarded = registry.as_caller(&caller);
    for size in [100, 100_000, 3 * MIB] {
        let content = content(size);
        let digest = Digest::sha256(&content);
        let outcome =
            guarded.upload_blob(&repository, digest, broken(&content.slice(1..), size as u64)).await;
        assert!(matches!(outcome, Err(Error::Body(_))), "{outcome:?}");
        let outcome = guarded.upload_blob(&repository, Digest::sha256(b"other"), body(&content)).await;
        assert!(matches!(outcome, Err(Error::DigestMismatch { .. })), "{outcome:?}");
        assert!(guarded.upload_blob(&repository, digest, streamed(&content)).await.is_ok());
    }
    assert_eq!(house.files().1, Vec::<std::path::PathBuf>::new());
    let rows = house.metadata.uploads(None, 10).await.unwrap();
    assert!(rows.iter().all(|session| session.cancelled || session.finished.is_some()), "{rows:?}");
}
