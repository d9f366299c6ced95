//! Keys: one set for all replicas, replaced in time, sealed anew when the configuration's key changes.

use std::time::Duration;

use berth_access::LoginError;
use berth_access::seal::Seals;
use berth_access::token::TokenError;

use crate::house::{House, SECRET_KEY, anonymous};

const SCOPE: &str = "repository:library/image:pull";

#[tokio::test]
async fn two_replicas_sign_and_believe_with_the_same_keys() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    assert_eq!(one.metadata.signing_keys().await.unwrap().len(), 1, "the second one found the first one's");
    let by_one = one.service.issue(&anonymous(), &[]).await.unwrap().token.token;
    two.bearer(by_one.reveal()).await.unwrap();

    assert!(one.keyring.rotate_now().await.unwrap());
    assert!(!two.keyring.rotate_now().await.unwrap(), "never a third one");
    house.pass(Duration::from_mins(6));
    let by_new = one.service.issue(&anonymous(), &[]).await.unwrap().token.token;
    two.bearer(by_new.reveal()).await.unwrap();
    two.bearer(by_one.reveal()).await.unwrap();

    house.pass(Duration::from_mins(31));
    two.keyring.tend().await.unwrap();
    assert_eq!(two.metadata.signing_keys().await.unwrap().len(), 1, "the old one is gone");
    one.keyring.tend().await.unwrap();
    assert_eq!(one.keyring.tokens().keys().jwks(), two.keyring.tokens().keys().jwks());
}

#[tokio::test]
async fn a_replica_that_did_not_hear_of_a_key_reads_it_when_it_meets_it() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    house.pass(Duration::from_hours(24));
    one.keyring.tend().await.unwrap();
    house.pass(Duration::from_mins(6));
    let token = one.service.issue(&anonymous(), &[]).await.unwrap().token.token;
    let known = two.keyring.tokens().keys().ids().count();
    assert_eq!(known, 1);
    two.bearer(token.reveal()).await.unwrap();
    assert_eq!(two.keyring.tokens().keys().ids().count(), 2);

    let stranger = House::new().replica().await;
    let foreign = stranger.service.issue(&anonymous(), &[]).await.unwrap().token.token;
    let refused = two.bearer(foreign.reveal()).await;
    assert!(matches!(refused, Err(LoginError::Token(TokenError::UnknownKey))));
}

#[tokio::test]
async fn everything_is_sealed_anew_and_generated_secrets_stay() {
    const NEW: &[u8] = b"the configuration's other secret key";
    let house = House::new();
    let one = house.replica().await;
    let token = one.with_token(&anonymous(), SCOPE).await;
    let both = house.replica_with(Seals::new(NEW, [SECRET_KEY]).unwrap()).await;
    assert_eq!(both.keyring.reseal().await.unwrap(), 2, "a signing key and the key of generated secrets");
    assert_eq!(both.keyring.reseal().await.unwrap(), 0);
    let only_new = house.replica_with(Seals::new(NEW, []).unwrap()).await;
    assert_eq!(only_new.secret_key.bytes(), one.secret_key.bytes());
    assert_eq!(only_new.keyring.tokens().keys().jwks(), one.keyring.tokens().keys().jwks());
    only_new.may(&token, "library/image", berth_domain::Action::Pull).await.unwrap();
}
