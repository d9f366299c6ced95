//! Upload sessions.

use berth_domain::{Location, Timestamp};
use berth_oci::{Algorithm, Digest};
use bytes::Bytes;

use super::scene::{Scene, at, lost, somebody, uuid};
use crate::{Metadata, UploadSession, Writer};

fn session(scene: &Scene<'_>, about: &str, expires_at: Timestamp) -> UploadSession {
    UploadSession {
        id: uuid(about),
        repository: scene.repository.id,
        owner: somebody(),
        algorithm: Algorithm::Sha512,
        location: Location::new("test:upload/ä"),
        durable: 5 << 40,
        tail: Bytes::from_static(&[0, 1, 255, 0]),
        storage_state: vec![1, 0, 2],
        hash_state: vec![0; 209],
        writer: Some(Writer { process: uuid("a process"), progressed_at: at(3) }),
        epoch: 7,
        suspect: true,
        finished: Some(Digest::of(Algorithm::Sha512, b"finished")),
        cancelled: true,
        started_at: at(1),
        expires_at,
    }
}

async fn save(scene: &Scene<'_>, session: &UploadSession) {
    let mut tx = scene.begin().await;
    tx.save_upload(session).await.expect("a saved session");
    tx.commit().await.expect("a commit");
}

pub(super) async fn a_session_comes_back_as_it_was_saved(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "uploads").await;
    let full = session(&scene, "comes back", at(9_000_000));
    save(&scene, &full).await;
    assert_eq!(metadata.upload(full.id).await.expect("an answer"), Some(full.clone()));
    let bare = UploadSession {
        algorithm: Algorithm::Sha256,
        durable: 0,
        tail: Bytes::new(),
        storage_state: Vec::new(),
        hash_state: Vec::new(),
        writer: None,
        epoch: 8,
        suspect: false,
        finished: None,
        cancelled: false,
        ..full.clone()
    };
    save(&scene, &bare).await;
    let mut tx = scene.begin().await;
    assert_eq!(tx.lock_upload(full.id).await.expect("an answer"), Some(bare.clone()));
    let nowhere = "library/nowhere".parse().expect("a name");
    for (id, session) in [(full.id, Some(bare)), (uuid("unknown"), None)] {
        let into_one = tx.lock_upload_into(id, &scene.repository.name).await.expect("an answer");
        assert_eq!(into_one, (session.clone(), Some(scene.repository.clone())));
        assert_eq!(tx.lock_upload_into(id, &nowhere).await.expect("an answer"), (session, None));
    }
    assert_eq!(tx.lock_upload(uuid("unknown")).await.expect("an answer"), None);
    tx.remove_upload(full.id).await.expect("no error");
    tx.remove_upload(full.id).await.expect("no error");
    assert_eq!(tx.lock_upload(full.id).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.upload(full.id).await.expect("an answer"), None);
}

pub(super) async fn sessions_expire_and_are_listed(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "expiry").await;
    // Long before the sessions of other cases expire.
    let moment = |n: i64| Timestamp::from_micros(1000 + n);
    let mut ids = Vec::new();
    for n in [2, 0, 1, 3] {
        let session = session(&scene, &format!("expires {n}"), moment(n));
        save(&scene, &session).await;
        ids.push(session.id);
    }
    // Of one moment, the lower id comes first.
    let twin = session(&scene, "expires 1 too", moment(1));
    save(&scene, &twin).await;
    let mut twins = [ids[2], twin.id];
    twins.sort_unstable();
    let expired = metadata.expired_uploads(moment(3), None, 10).await.expect("a list");
    assert_eq!(expired.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[1], twins[0], twins[1], ids[0]]);
    for after in 0..expired.len() {
        let key = (expired[after].expires_at, expired[after].id);
        let page = metadata.expired_uploads(moment(3), Some(key), 2).await.expect("a list");
        assert_eq!(page, expired[after + 1..expired.len().min(after + 3)]);
    }

    let mut seen = Vec::new();
    loop {
        let page = metadata.uploads(seen.last().copied(), 2).await.expect("a list");
        if page.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|one| one.id));
    }
    assert!(seen.is_sorted_by(|a, b| a < b));
    assert!(ids.iter().all(|id| seen.contains(id)));
}

pub(super) async fn two_new_rows_of_one_id_conflict(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "two-new-rows").await;
    let start = async |epoch| {
        let mut tx = scene.begin().await;
        let new = UploadSession { epoch, ..session(&scene, "two new rows", at(9_000_000)) };
        if tx.lock_upload(new.id).await.expect("an answer").is_some() {
            return None;
        }
        lost(tx.save_upload(&new).await)?;
        lost(tx.commit().await).map(|()| epoch)
    };
    let (first, second) = futures::future::join(start(1), start(2)).await;
    assert!(first.is_some() != second.is_some(), "{first:?} {second:?}");
    let there = metadata.upload(uuid("two new rows")).await.expect("an answer").expect("a session");
    assert_eq!(Some(there.epoch), first.or(second));
}
