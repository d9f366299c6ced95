//! The life of a session: restarts, repeated closes, cancelling, expiry.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use berth_domain::Location;
use berth_metadata::{Metadata as _, RepositoryReads as _, UploadReads as _, UploadSession};
use berth_oci::{Digest, RepositoryName};
use berth_registry::{Error, Guarded, Incoming, Result, UploadTicket};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use uuid::Uuid;

use crate::house::{
    House, MIB, NEXT, body, by_hand, caller, content, empty, name, offset, pull, reaches, until,
};

/// A session that has `content`.
async fn begun(guarded: &Guarded<'_>, repository: &RepositoryName, content: &Bytes) -> UploadTicket {
    let ticket = guarded.start_upload(repository, None).await.unwrap();
    if !content.is_empty() {
        guarded.write_chunk(repository, &ticket, NEXT, body(content)).await.unwrap();
    }
    ticket
}

/// A body in frames of a mebibyte, and how many of them were taken.
fn counted(content: &Bytes) -> (Arc<AtomicUsize>, Incoming) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let frames: Vec<_> = content.chunks(MIB).map(|frame| Ok(content.slice_ref(frame))).collect();
    let stream = stream::iter(frames).inspect(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    (taken, Incoming { length: Some(content.len() as u64), stream: stream.boxed() })
}

/// Asserts that the session is none any more.
fn assert_unknown<T: Debug>(outcome: &Result<T>) {
    assert!(matches!(outcome, Err(Error::UploadUnknown)), "{outcome:?}");
}

#[tokio::test]
async fn a_dead_writers_session_goes_on_from_its_last_checkpoint() {
    let house = House::new().await;
    let (caller, repository) = (caller(), name("library/restart"));
    let content = content(6 * MIB);
    let first = house.process(1, true).await;
    let ticket = first.as_caller(&caller).start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(content.len());
    sender.unbounded_send(Ok(content.slice(..5 * MIB))).unwrap();
    let (dying, place, held) = (first.clone(), repository.clone(), ticket.clone());
    let writing = tokio::spawn(async move {
        let caller = crate::house::caller();
        dying.as_caller(&caller).write_chunk(&place, &held, NEXT, chunk).await
    });
    // Checkpoints come every two mebibytes; the fifth mebibyte is not durable when the process dies.
    reaches(&first, &repository, &ticket, 4 * MIB as u64).await;
    let second = house.process(2, true).await;
    assert_eq!(offset(&second, &repository, &ticket).await, 4 * MIB as u64);
    let digest = Digest::sha256(&content);
    let rest = body(&content.slice(4 * MIB..));
    second.as_caller(&caller).finish_upload(&repository, &ticket, digest, NEXT, rest).await.unwrap();
    assert_eq!(pull(&second, &repository, &digest).await.unwrap(), content);
    // Had the content been suspect it would lie in a place of its own; so it was not read again.
    let session = house.metadata.upload(ticket.id).await.unwrap().unwrap();
    assert!(!session.suspect);
    drop(sender);
    let outcome = writing.await.unwrap();
    assert!(outcome.is_err(), "the dead writer's row is not its own any more: {outcome:?}");
    assert_eq!(pull(&second, &repository, &digest).await.unwrap(), content);
}

/// The database stands still meanwhile: of what comes, as much is taken as may be missing from the row.
#[tokio::test]
async fn bytes_go_on_coming_while_a_checkpoint_is_written_down() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/beside"));
    let guarded = registry.as_caller(&caller);
    let content = content(9 * MIB);
    let ticket = begun(&guarded, &repository, &content.slice(..MIB)).await;
    let mut standing_still = house.metadata.begin().await.unwrap();
    standing_still.lock_upload(Uuid::nil()).await.unwrap();
    let (taken, rest) = counted(&content.slice(MIB..));
    let writing = guarded.write_chunk(&repository, &ticket, NEXT, rest);
    let watching = async {
        // Two checkpoints' worth; the row is due every two mebibytes.
        until(async || taken.load(Ordering::Relaxed) >= 4).await;
        assert_eq!(offset(&registry, &repository, &ticket).await, MIB as u64);
        assert_eq!(taken.load(Ordering::Relaxed), 4);
        drop(standing_still);
    };
    let (written, ()) = tokio::join!(writing, watching);
    assert_eq!(written.unwrap().offset, content.len() as u64);
    let digest = Digest::sha256(&content);
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}

#[tokio::test]
async fn who_loses_a_session_while_a_checkpoint_is_written_down_closes_nothing() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/lost"));
    let guarded = registry.as_caller(&caller);
    let content = content(4 * MIB);
    let ticket = begun(&guarded, &repository, &content.slice(..MIB)).await;
    let mut meanwhile = house.metadata.begin().await.unwrap();
    let session = meanwhile.lock_upload(ticket.id).await.unwrap().unwrap();
    let (taken, rest) = counted(&content.slice(MIB..));
    let digest = Digest::sha256(&content);
    let closing = guarded.finish_upload(&repository, &ticket, digest, NEXT, rest);
    let losing = async {
        until(async || taken.load(Ordering::Relaxed) == 3).await;
        let cancelled = UploadSession { cancelled: true, epoch: session.epoch + 1, ..session };
        meanwhile.save_upload(&cancelled).await.unwrap();
        meanwhile.commit().await.unwrap();
    };
    let (closed, ()) = tokio::join!(closing, losing);
    assert_unknown(&closed);
    pull(&registry, &repository, &digest).await.unwrap_err();
    assert_eq!(registry.live_uploads(), 0);
}

#[tokio::test]
async fn a_closed_session_can_be_closed_again_with_its_digest() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/again"));
    let guarded = registry.as_caller(&caller);
    let content = content(2 * MIB);
    let digest = Digest::sha256(&content);
    let ticket = begun(&guarded, &repository, &content).await;
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    assert_unknown(&guarded.finish_upload(&repository, &ticket, Digest::sha256(b""), NEXT, empty()).await);
    assert_unknown(&guarded.upload_status(&repository, &ticket).await);
    guarded.delete_blob(&repository, &digest).await.unwrap();
    assert_unknown(&guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await);
}

#[tokio::test]
async fn a_cancelled_session_does_not_come_back() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/cancel"));
    let guarded = registry.as_caller(&caller);
    for size in [0, 10, 3 * MIB] {
        let content = content(size);
        let ticket = begun(&guarded, &repository, &content).await;
        guarded.cancel_upload(&repository, &ticket).await.unwrap();
        assert_eq!(house.files(), (vec![], vec![]));
        let digest = Digest::sha256(&content);
        assert_unknown(&guarded.cancel_upload(&repository, &ticket).await);
        assert_unknown(&guarded.upload_status(&repository, &ticket).await);
        assert_unknown(&guarded.write_chunk(&repository, &ticket, NEXT, body(&content)).await);
        assert_unknown(&guarded.finish_upload(&repository, &ticket, digest, NEXT, body(&content)).await);
        let made = house.metadata.repository(&repository).await.unwrap();
        assert_eq!(made, None, "neither what came nor cancelling makes a repository");
    }
}

#[tokio::test]
async fn cancelling_stops_the_writer() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/stop"));
    let guarded = registry.as_caller(&caller);
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    let (sender, chunk) = by_hand(4 * MIB);
    sender.unbounded_send(Ok(content(3 * MIB))).unwrap();
    let writing = guarded.write_chunk(&repository, &ticket, NEXT, chunk);
    let cancelling = async {
        reaches(&registry, &repository, &ticket, 2 * MIB as u64).await;
        guarded.cancel_upload(&repository, &ticket).await
    };
    let (written, cancelled) = tokio::join!(writing, cancelling);
    cancelled.unwrap();
    assert!(matches!(written, Err(Error::UploadUnknown | Error::UploadBusy { .. })), "{written:?}");
    assert_eq!(registry.live_uploads(), 0);
    assert_eq!(house.files(), (vec![], vec![]));
    drop(sender);
}

#[tokio::test]
async fn sessions_expire_a_day_after_their_last_checkpoint() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/expire"));
    let guarded = registry.as_caller(&caller);
    let untouched = guarded.start_upload(&repository, None).await.unwrap();
    let ticket = guarded.start_upload(&repository, None).await.unwrap();
    house.clock.advance(Duration::from_hours(23));
    guarded.write_chunk(&repository, &ticket, NEXT, body(&content(MIB))).await.unwrap();
    house.clock.advance(Duration::from_hours(2));
    assert_unknown(&guarded.upload_status(&repository, &untouched).await);
    assert_eq!(offset(&registry, &repository, &ticket).await, MIB as u64);
    assert_eq!(registry.expire_uploads().await.unwrap(), 0);
    house.clock.advance(Duration::from_hours(23));
    assert_unknown(&guarded.upload_status(&repository, &ticket).await);
    assert_eq!(registry.expire_uploads().await.unwrap(), 1);
    assert_eq!((house.rows().await, house.files()), (0, (vec![], vec![])));
}

/// As many as are looked up at once, and they are the oldest.
#[tokio::test]
async fn sessions_that_cannot_go_hold_up_no_other() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/stuck"));
    let ticket = begun(&registry.as_caller(&caller), &repository, &content(MIB)).await;
    let session = house.metadata.upload(ticket.id).await.unwrap().unwrap();
    let mut tx = house.metadata.begin().await.unwrap();
    for n in 0..100 {
        let (id, location) = (Uuid::from_u128(n), Location::new("nobody:knows"));
        let expires_at = session.expires_at.minus(Duration::from_mins(1));
        tx.save_upload(&UploadSession { id, location, expires_at, ..session.clone() }).await.unwrap();
    }
    tx.commit().await.unwrap();
    house.clock.advance(Duration::from_hours(25));
    assert_eq!(registry.expire_uploads().await.unwrap(), 1);
    assert_eq!(house.metadata.upload(ticket.id).await.unwrap(), None);
    assert_eq!((house.rows().await, house.files()), (100, (vec![], vec![])));
}

#[tokio::test]
async fn the_bytes_of_a_finished_session_outlive_it() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/finished"));
    let guarded = registry.as_caller(&caller);
    let content = content(2 * MIB);
    let digest = Digest::sha256(&content);
    let ticket = begun(&guarded, &repository, &content).await;
    guarded.finish_upload(&repository, &ticket, digest, NEXT, empty()).await.unwrap();
    house.clock.advance(Duration::from_hours(25));
    assert_eq!(registry.expire_uploads().await.unwrap(), 1);
    assert_eq!(house.rows().await, 0);
    assert_eq!(pull(&registry, &repository, &digest).await.unwrap(), content);
}
