//! The life of a session: restarts, repeated closes, cancelling, expiry.

use std::fmt::Debug;
use std::time::Duration;

use berth_domain::Location;
use berth_metadata::{Metadata as _, RepositoryReads as _, UploadReads as _, UploadSession};
use berth_oci::{Digest, RepositoryName};
use berth_registry::{Error, Guarded, Result, UploadTicket};
use bytes::Bytes;
use uuid::Uuid;

use crate::house::{House, MIB, NEXT, body, by_hand, caller, content, empty, name, offset, pull, reaches};

/// A session that has `content`.
async fn begun(guarded: &Guarded<'_>, repository: &RepositoryName, content: &Bytes) -> UploadTicket {
    let ticket = guarded.start_upload(repository, None).await.unwrap();
    if !content.is_empty() {
        guarded.write_chunk(repository, &ticket, NEXT, body(content)).await.unwrap();
    }
    ticket
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
