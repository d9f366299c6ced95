//! Sessions, refresh tokens, signing keys and sealed secrets.

use futures::future::join_all;

use super::access::user;
use super::scene::{at, begin, lost};
use crate::Metadata;
use crate::refresh_token::RefreshToken;
use crate::session::Session;
use crate::signing_key::StoredSigningKey;

pub(super) async fn sessions_begin_and_end(metadata: &dyn Metadata) {
    let user = user(metadata, "browsing").await;
    let session = |n: u8| Session { id_hash: [n; 32], user, created_at: at(0), expires_at: at(i64::from(n)) };
    let mut tx = begin(metadata).await;
    for n in 101..106 {
        tx.add_session(&session(n)).await.expect("a session");
    }
    assert!(tx.extend_session(&[105; 32], at(200)).await.expect("an answer"));
    assert!(tx.extend_session(&[105; 32], at(150)).await.expect("an answer"));
    assert!(!tx.extend_session(&[99; 32], at(200)).await.expect("an answer"));
    tx.remove_session(&[104; 32]).await.expect("removed");
    tx.remove_session(&[104; 32]).await.expect("removed");
    tx.commit().await.expect("a commit");
    let find = async |n: u8| metadata.session(&[n; 32]).await.expect("an answer");
    assert_eq!(find(101).await, Some(session(101)));
    assert_eq!(find(105).await.map(|session| session.expires_at), Some(at(200)));
    assert_eq!(find(104).await, None);
    let mut tx = begin(metadata).await;
    assert_eq!(tx.prune_sessions(at(103), 1).await.expect("a count"), 1);
    assert_eq!(tx.prune_sessions(at(103), 9).await.expect("a count"), 1);
    tx.commit().await.expect("a commit");
    assert!(find(102).await.is_none() && find(103).await.is_some());
}

pub(super) async fn refresh_tokens_are_kept_while_used(metadata: &dyn Metadata) {
    let user = user(metadata, "refreshing").await;
    let token = |n: u8, used: i64| RefreshToken {
        hash: [n; 32],
        user,
        service: "berth".to_owned(),
        client_id: "docker".to_owned(),
        issued_at: at(1),
        last_used_at: at(used),
    };
    let mut tx = begin(metadata).await;
    for n in 201..205 {
        tx.add_refresh_token(&token(n, 1)).await.expect("a token");
    }
    tx.touch_refresh_token(&[202; 32], at(50)).await.expect("touched");
    tx.touch_refresh_token(&[202; 32], at(40)).await.expect("touched");
    tx.remove_refresh_token(&[203; 32]).await.expect("removed");
    tx.remove_refresh_token(&[203; 32]).await.expect("removed");
    tx.commit().await.expect("a commit");
    let find = async |n: u8| metadata.refresh_token(&[n; 32]).await.expect("an answer");
    assert_eq!(find(201).await, Some(token(201, 1)));
    assert_eq!(find(202).await, Some(token(202, 50)));
    assert_eq!(find(203).await, None);
    let mut tx = begin(metadata).await;
    assert_eq!(tx.prune_refresh_tokens(at(50), 1).await.expect("a count"), 1);
    assert_eq!(tx.prune_refresh_tokens(at(50), 9).await.expect("a count"), 1);
    tx.commit().await.expect("a commit");
    assert!(find(201).await.is_none() && find(204).await.is_none() && find(202).await.is_some());
}

fn key(n: i64) -> StoredSigningKey {
    StoredSigningKey {
        kid: format!("key {n}"),
        sealed_seed: vec![0, 255, 7],
        signs_from: at(n),
        created_at: at(0),
    }
}

pub(super) async fn one_of_many_makes_the_first_key(metadata: &dyn Metadata) {
    let rotate = async |n: i64| loop {
        let mut tx = begin(metadata).await;
        let Some(keys) = lost(tx.lock_signing_keys().await) else { continue };
        if keys.is_empty() && lost(tx.add_signing_key(&key(n)).await).is_none() {
            continue;
        }
        if lost(tx.commit().await).is_some() {
            return keys.is_empty();
        }
    };
    let made: Vec<bool> = join_all((1..5).map(rotate)).await;
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    let keys = metadata.signing_keys().await.expect("a list");
    assert_eq!(keys.len(), 1);

    let mut tx = begin(metadata).await;
    tx.add_signing_key(&key(-1)).await.expect("a key");
    tx.reseal_signing_key("key -1", b"other").await.expect("another seal");
    tx.remove_signing_key(&keys[0].kid).await.expect("removed");
    tx.remove_signing_key(&keys[0].kid).await.expect("removed");
    tx.add_signing_key(&key(9)).await.expect("a key");
    tx.commit().await.expect("a commit");
    let resealed = StoredSigningKey { sealed_seed: b"other".to_vec(), ..key(-1) };
    assert_eq!(metadata.signing_keys().await.expect("a list"), [resealed, key(9)]);
}

pub(super) async fn a_sealed_secret_is_made_once(metadata: &dyn Metadata) {
    let ensure = async |fresh: Vec<u8>| {
        let mut tx = begin(metadata).await;
        let value = lost(tx.ensure_sealed_secret("conformance", &fresh).await)?;
        lost(tx.commit().await).map(|()| value)
    };
    let answers: Vec<_> = join_all((0..6_u8).map(|n| ensure(vec![n, 0, 255]))).await;
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    assert!(!answers.is_empty() && answers.iter().all(|value| *value == answers[0]), "{answers:?}");
    let mut tx = begin(metadata).await;
    let all = tx.lock_sealed_secrets().await.expect("a list");
    assert_eq!(all, [("conformance".to_owned(), answers[0].clone())]);
    tx.reseal_secret("conformance", b"other").await.expect("another seal");
    tx.commit().await.expect("a commit");
    assert_eq!(ensure(vec![9]).await.as_deref(), Some(&b"other"[..]));
}
