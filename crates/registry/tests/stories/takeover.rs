//! One writer a session, also where several processes share the data.

use std::time::Duration;

use berth_metadata::{Metadata as _, UploadReads as _, UploadSession};
use berth_oci::{Algorithm, Digest};
use berth_registry::{BodyError, Error, Incoming, Registry, Result, UploadStatus, UploadTicket};
use futures::channel::oneshot;
use futures::future::{join, join_all};
use futures::{StreamExt as _, stream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::house::{
    House, MIB, NEXT, body, by_hand, caller, content, empty, name, offset, pull, reaches, until,
};

fn write(registry: &Registry, ticket: &UploadTicket, chunk: Incoming) -> JoinHandle<Result<UploadStatus>> {
    let (registry, ticket) = (registry.clone(), ticket.clone());
    tokio::spawn(async move {
        let caller = caller();
        registry.as_caller(&caller).write_chunk(&name("library/lease"), &ticket, NEXT, chunk).await
    })
}

#[tokio::test]
async fn a_second_client_waits_while_the_first_moves_and_then_takes_over() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/lease"));
    let guarded = registry.as_caller(&caller);
    let content = content(4 * MIB);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(content.len());
    sender.unbounded_send(Ok(content.slice(..2 * MIB + 100))).unwrap();
    let first = write(&registry, &ticket, chunk);
    reaches(&registry, &repository, &ticket, 2 * MIB as u64).await;
    let refused = guarded.write_chunk(&repository, &ticket, NEXT, body(&content)).await;
    assert!(matches!(refused, Err(Error::UploadBusy { offset }) if offset == 2 * MIB as u64), "{refused:?}");
    house.clock.advance(Duration::from_secs(31));
    // The first writer is in this process: it is stopped at a checkpoint, so nothing that came is lost or suspect.
    let digest = Digest::sha256(&content);
    let from = crate::house::at(2 * MIB as u64 + 100, 4 * MIB as u64);
    let rest = body(&content.slice(2 * MIB + 100..));
    let early =
        guarded.write_chunk(&repository, &ticket, crate::house::at(0, 10), body(&content.slice(..10))).await;
    assert!(
        matches!(early, Err(Error::OutOfOrder { offset }) if offset == 2 * MIB as u64 + 100),
        "{early:?}"
    );
    guarded.finish_upload(&repository, &ticket, digest, from, rest).await.unwrap();
    let stopped = first.await.unwrap();
    assert!(matches!(stopped, Err(Error::UploadBusy { .. })), "{stopped:?}");
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn what_is_taken_over_from_another_process_is_read_again() {
    let house = House::new().await;
    let (one, two) = (house.process(1, false).await, house.process(2, false).await);
    let (caller, repository) = (caller(), name("library/lease"));
    let guarded = two.as_caller(&caller);
    let content = content(5 * MIB);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(content.len());
    sender.unbounded_send(Ok(content.slice(..3 * MIB))).unwrap();
    let first = write(&one, &ticket, chunk);
    reaches(&two, &repository, &ticket, 2 * MIB as u64).await;
    let refused = guarded.write_chunk(&repository, &ticket, NEXT, body(&content)).await;
    assert!(matches!(refused, Err(Error::UploadBusy { .. })), "{refused:?}");
    house.clock.advance(Duration::from_secs(31));
    let next = body(&content.slice(2 * MIB..4 * MIB));
    guarded.write_chunk(&repository, &ticket, NEXT, next).await.unwrap();
    assert!(house.metadata.upload(ticket.id).await.unwrap().unwrap().suspect);
    // The first writer moves again, finds another epoch and stops; what it still wrote is seen by nobody.
    sender.unbounded_send(Ok(crate::house::content(2 * MIB))).unwrap();
    drop(sender);
    let stopped = first.await.unwrap();
    assert!(matches!(stopped, Err(Error::UploadBusy { .. })), "{stopped:?}");
    assert_eq!(offset(&two, &repository, &ticket).await, 4 * MIB as u64);
    let digest = Digest::sha256(&content);
    let rest = || body(&content.slice(4 * MIB..));
    for wrong in [Digest::sha256(b"else"), Digest::of(Algorithm::Sha512, b"else")] {
        let refused = guarded.finish_upload(&repository, &ticket, wrong, NEXT, rest()).await;
        assert!(matches!(refused, Err(Error::DigestMismatch { .. })), "{refused:?}");
        assert_eq!(offset(&two, &repository, &ticket).await, 4 * MIB as u64, "as it was before");
    }
    let rest = rest();
    guarded.finish_upload(&repository, &ticket, digest, NEXT, rest).await.unwrap();
    assert_eq!(pull(&two, &repository, &digest).await.unwrap(), content);
    assert_eq!((house.files().0.len(), house.files().1.len()), (1, 0));
}

/// The other writer's checkpoint comes between the look at the session and the bytes.
#[tokio::test]
async fn who_takes_over_goes_on_from_no_checkpoint_but_the_last() {
    for length in [100, MIB + 100] {
        let house = House::new().await;
        let (one, two) = (house.process(1, false).await, house.process(2, false).await);
        let (caller, repository) = (caller(), name("library/lease"));
        let guarded = two.as_caller(&caller);
        let content = content(6 * MIB);
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        let (sender, chunk) = by_hand(content.len());
        sender.unbounded_send(Ok(content.slice(..2 * MIB))).unwrap();
        let first = write(&one, &ticket, chunk);
        reaches(&one, &repository, &ticket, 2 * MIB as u64).await;
        house.clock.advance(Duration::from_secs(31));
        // Asked for when the session was looked at, and not earlier.
        let ((ask, asked), (bring, bytes)) = (oneshot::channel(), oneshot::channel());
        let bytes = async move {
            let _ = ask.send(());
            bytes.await.unwrap_or(Err(BodyError::Disconnected))
        };
        let late = Incoming { length: Some(length as u64), stream: stream::once(bytes).boxed() };
        let meanwhile = async {
            asked.await.unwrap();
            sender.unbounded_send(Ok(content.slice(2 * MIB..4 * MIB))).unwrap();
            reaches(&one, &repository, &ticket, 4 * MIB as u64).await;
            house.clock.advance(Duration::from_secs(31));
            bring.send(Ok(content.slice(2 * MIB..2 * MIB + length))).unwrap();
        };
        let (refused, ()) = join(guarded.write_chunk(&repository, &ticket, NEXT, late), meanwhile).await;
        let Err(Error::UploadBusy { offset }) = refused else { panic!("{refused:?}") };
        assert_eq!(offset, 4 * MIB as u64);
        let digest = Digest::sha256(&content);
        let rest = body(&content.slice(4 * MIB..));
        guarded.finish_upload(&repository, &ticket, digest, NEXT, rest).await.unwrap();
        assert_eq!(pull(&two, &repository, &digest).await.unwrap(), content);
        drop(sender);
        assert!(first.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn suspect_content_that_was_mixed_is_never_published() {
    let house = House::new().await;
    let (one, two) = (house.process(1, false).await, house.process(2, false).await);
    let (caller, repository) = (caller(), name("library/lease"));
    let guarded = two.as_caller(&caller);
    let content = content(3 * MIB);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(content.len());
    sender.unbounded_send(Ok(content.slice(..2 * MIB))).unwrap();
    let first = write(&one, &ticket, chunk);
    reaches(&two, &repository, &ticket, 2 * MIB as u64).await;
    house.clock.advance(Duration::from_secs(31));
    let next = body(&content.slice(2 * MIB..));
    guarded.write_chunk(&repository, &ticket, NEXT, next).await.unwrap();
    // The replaced writer was frozen in the middle of a write and wakes up now.
    let file = house.files().1.remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[MIB] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let digest = Digest::sha256(&content);
    let outcome = guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await;
    assert!(matches!(outcome, Err(Error::DigestMismatch { .. })), "{outcome:?}");
    assert!(matches!(guarded.blob(&repository, &digest).await, Err(Error::NameUnknown(_))));
    assert_eq!(house.files().0.len(), 0);
    drop(sender);
    assert!(first.await.unwrap().is_err());
}

/// The last bytes of one session take all memory that there is, and are held while what came before them is stored anew.
#[tokio::test]
async fn suspect_sessions_close_with_as_little_memory_as_can_be() {
    let house = House { budget: MIB, ..House::new().await };
    let registry = house.process(1, false).await;
    let (caller, repository) = (caller(), name("library/scarce"));
    let mut sessions = Vec::new();
    for length in [2 * MIB + 600_000, MIB + 900_001, 4 * MIB - 1] {
        let (content, durable) = (content(length), length / MIB * MIB);
        let guarded = registry.as_caller(&caller);
        let ticket = guarded.start_upload(&repository, None).await.unwrap();
        let chunk = body(&content.slice(..durable));
        guarded.write_chunk(&repository, &ticket, NEXT, chunk).await.unwrap();
        let mut tx = house.metadata.begin().await.unwrap();
        let session = tx.lock_upload(ticket.id).await.unwrap().unwrap();
        tx.save_upload(&UploadSession { suspect: true, ..session }).await.unwrap();
        tx.commit().await.unwrap();
        sessions.push((ticket, Digest::sha256(&content), content, durable));
    }
    let requests = sessions.iter().map(async |(ticket, digest, content, durable)| {
        let rest = body(&content.slice(*durable..));
        registry.as_caller(&caller).finish_upload(&repository, ticket, *digest, NEXT, rest).await
    });
    let closed = timeout(Duration::from_mins(1), join_all(requests)).await.expect("all of them end");
    for (closed, (_, digest, content, _)) in closed.into_iter().zip(&sessions) {
        closed.unwrap();
        assert_eq!(pull(&registry, &repository, digest).await.unwrap(), *content);
    }
}

#[tokio::test]
async fn a_lease_that_is_confirmed_is_not_taken_over() {
    let house = House::new().await;
    let (one, two) = (house.process(1, false).await, house.process(2, false).await);
    let (caller, repository) = (caller(), name("library/lease"));
    let content = content(3 * MIB);
    let ticket = one.as_caller(&caller).start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(content.len());
    sender.unbounded_send(Ok(content.slice(..2 * MIB))).unwrap();
    let first = write(&one, &ticket, chunk);
    reaches(&two, &repository, &ticket, 2 * MIB as u64).await;
    // Slowly, but it moves: every byte confirms the lease when that is due.
    let confirmed_at =
        async || house.metadata.upload(ticket.id).await.unwrap().unwrap().writer.unwrap().progressed_at;
    for n in 0..4 {
        let before = confirmed_at().await;
        house.clock.advance(Duration::from_secs(20));
        sender.unbounded_send(Ok(content.slice(2 * MIB + n..=2 * MIB + n))).unwrap();
        until(async || confirmed_at().await > before).await;
        let refused = two.as_caller(&caller).write_chunk(&repository, &ticket, NEXT, body(&content)).await;
        assert!(matches!(refused, Err(Error::UploadBusy { .. })), "{refused:?}");
    }
    sender.unbounded_send(Ok(content.slice(2 * MIB + 4..))).unwrap();
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().offset, content.len() as u64);
    assert!(!house.metadata.upload(ticket.id).await.unwrap().unwrap().suspect);
}
