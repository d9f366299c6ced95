//! Tokens are believed for what they are, and nothing else is.

use std::sync::atomic::{AtomicI64, Ordering};

use berth_domain::SystemEntropy;
use jsonwebtoken::EncodingKey;
use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct FakeClock(AtomicI64);

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

const START: i64 = 1_800_000_000_123_456;
const SECONDS: i64 = START / 1_000_000;

struct Bench {
    clock: Arc<FakeClock>,
    tokens: Tokens,
}

fn key(seed: u8, signs_from: i64) -> SigningKey {
    SigningKey::from_seed(&[seed; 32], Timestamp::from_micros(signs_from)).unwrap()
}

fn bench(keys: impl IntoIterator<Item = SigningKey>) -> Bench {
    let clock = Arc::new(FakeClock(AtomicI64::new(START)));
    let settings = TokenSettings {
        issuer: "berth".to_owned(),
        service: "harbor-registry".to_owned(),
        lifetime: Duration::from_mins(30),
        remembered: 64,
        longest: LONGEST_TOKEN,
    };
    let tokens =
        Tokens::new(settings, KeySet::new(keys), Arc::<FakeClock>::clone(&clock), Arc::new(SystemEntropy));
    Bench { clock, tokens }
}

impl Bench {
    fn pass(&self, duration: Duration) {
        self.clock.0.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::Relaxed);
    }

    fn issue(&self) -> String {
        self.tokens.issue(&jane(), Timestamp::from_micros(START), access()).unwrap().token.reveal().to_owned()
    }
}

fn jane() -> Actor {
    Actor { kind: ActorKind::User, id: 5, name: "jane".to_owned() }
}

fn access() -> Vec<ResourceActions> {
    crate::scope::parse_scopes(["repository:library/alpine:pull,push"]).unwrap()
}

/// A token with any header and claims, signed by any key.
fn forge(header: &Header, claims: &serde_json::Value, key: &EncodingKey) -> String {
    encode(header, claims, key).unwrap()
}

fn claims() -> serde_json::Value {
    let seconds = START / 1_000_000;
    serde_json::json!({
        "iss": "berth", "sub": "jane", "aud": "harbor-registry", "exp": seconds + 60, "nbf": seconds, "iat": seconds,
        "jti": "1", "access": [], "berth": { "kind": "user", "id": 5, "at": START },
    })
}

fn header(kid: &str) -> Header {
    Header { kid: Some(kid.to_owned()), ..Header::new(ALGORITHM) }
}

#[test]
fn a_token_says_who_and_what() {
    let bench = bench([key(1, 0)]);
    let token = bench.issue();
    for _ in 0..2 {
        let verified = bench.tokens.verify(&token).unwrap();
        assert_eq!((&verified.actor, &verified.access), (&jane(), &access()));
        assert_eq!(verified.issued_at, Timestamp::from_micros(START), "to the microsecond");
    }
    let anonymous = bench.tokens.issue(&Actor::anonymous(), Timestamp::from_micros(0), vec![]).unwrap();
    assert_eq!(bench.tokens.verify(anonymous.token.reveal()).unwrap().actor, Actor::anonymous());
}

#[test]
fn a_token_ends_also_when_it_is_remembered() {
    let bench = bench([key(1, 0)]);
    let token = bench.issue();
    assert!(bench.tokens.verify(&token).is_ok());
    bench.pass(Duration::from_mins(30));
    assert_eq!(bench.tokens.verify(&token), Err(TokenError::Expired));
}

#[test]
fn whatever_is_changed_in_a_token_it_is_refused() {
    let bench = bench([key(1, 0)]);
    let token = bench.issue();
    for length in 0..token.len() {
        assert!(bench.tokens.verify(&token[..length]).is_err(), "cut at {length}");
    }
    for index in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        assert!(bench.tokens.verify(&String::from_utf8(bytes).unwrap()).is_err(), "byte {index}");
    }
}

proptest! {
    #[test]
    fn no_text_is_a_token_of_ours(
        text in prop_oneof!["\\PC{0,200}", "[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,3}"],
    ) {
        prop_assert!(bench([key(1, 0)]).tokens.verify(&text).is_err());
    }

    #[test]
    fn what_is_signed_is_believed_only_in_its_time(
        exp in prop_oneof![any::<i64>(), SECONDS - 100..SECONDS + 100],
        nbf in prop_oneof![any::<i64>(), SECONDS - 100..SECONDS + 100],
        at: i64,
        kind in "user|robot|anonymous|\\PC{0,10}",
        sub in ".{0,20}",
    ) {
        let (bench, ours) = (bench([key(1, 0)]), key(1, 0));
        let mut said = claims();
        for (claim, value) in [("exp", exp), ("nbf", nbf)] {
            said[claim] = value.into();
        }
        said["sub"] = sub.into();
        said["berth"] = serde_json::json!({ "kind": kind, "id": at, "at": at });
        if let Ok(verified) = bench.tokens.verify(&forge(&header(ours.kid()), &said, ours.private())) {
            prop_assert!(exp > SECONDS && nbf <= SECONDS + 60, "{} to {}", nbf, exp);
            prop_assert!(ActorKind::parse(&kind).is_some());
            prop_assert_eq!(verified.issued_at, Timestamp::from_micros(at));
        }
    }

    #[test]
    fn a_token_with_another_byte_is_refused(at: prop::sample::Index, other in 0_u8..128) {
        let (bench, ours) = (bench([key(1, 0)]), key(1, 0));
        let mut bytes = forge(&header(ours.kid()), &claims(), ours.private()).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = if bytes[at] == other { other ^ 1 } else { other };
        prop_assert!(bench.tokens.verify(&String::from_utf8(bytes).unwrap()).is_err(), "byte {}", at);
    }
}

#[test]
fn what_is_no_token_of_ours_is_refused() {
    let bench = bench([key(1, 0)]);
    let (ours, foreign) = (key(1, 0), key(2, 0));
    assert_eq!(bench.tokens.verify(&"a".repeat(1 << 20)), Err(TokenError::Long));
    for malformed in ["", ".", "..", "a.b.c", "Bearer x"] {
        assert_eq!(bench.tokens.verify(malformed), Err(TokenError::Malformed), "{malformed}");
    }
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", bench.issue().split('.').nth(1).unwrap());
    assert_eq!(bench.tokens.verify(&none), Err(TokenError::Algorithm));
    // The public key as an HMAC secret.
    let public = bench.tokens.keys().jwks();
    let hmac = Header { alg: Algorithm::HS256, ..header(ours.kid()) };
    let confused = forge(&hmac, &claims(), &EncodingKey::from_secret(public.as_bytes()));
    assert_eq!(bench.tokens.verify(&confused), Err(TokenError::Algorithm));
    assert_eq!(
        bench.tokens.verify(&forge(&header(ours.kid()), &claims(), foreign.private())),
        Err(TokenError::Signature)
    );
    assert_eq!(
        bench.tokens.verify(&forge(&header(foreign.kid()), &claims(), foreign.private())),
        Err(TokenError::UnknownKey)
    );
    assert_eq!(
        bench.tokens.verify(&forge(&Header::new(ALGORITHM), &claims(), ours.private())),
        Err(TokenError::UnknownKey)
    );
    assert!(bench.tokens.verify(&forge(&header(ours.kid()), &claims(), ours.private())).is_ok());
}

#[test]
fn every_claim_counts() {
    let bench = bench([key(1, 0)]);
    let ours = key(1, 0);
    let seconds = START / 1_000_000;
    for (claim, value, refused) in [
        ("aud", "other".into(), TokenError::Audience),
        ("iss", "other".into(), TokenError::Issuer),
        ("exp", seconds.into(), TokenError::Expired),
        ("exp", (-1).into(), TokenError::Malformed),
        ("nbf", (seconds + 62).into(), TokenError::NotYet),
        ("berth", serde_json::json!({ "kind": "god", "id": 1, "at": 0 }), TokenError::Malformed),
    ] {
        let mut changed = claims();
        changed[claim] = value;
        assert_eq!(
            bench.tokens.verify(&forge(&header(ours.kid()), &changed, ours.private())),
            Err(refused),
            "{claim}"
        );
    }
    for claim in ["aud", "iss", "exp", "nbf", "sub", "access", "berth"] {
        let mut changed = claims();
        changed.as_object_mut().unwrap().remove(claim);
        let token = forge(&header(ours.kid()), &changed, ours.private());
        assert!(bench.tokens.verify(&token).is_err(), "without {claim}");
    }
    let mut skewed = claims();
    skewed["nbf"] = (seconds + 59).into();
    assert!(bench.tokens.verify(&forge(&header(ours.kid()), &skewed, ours.private())).is_ok());
}

#[test]
fn a_token_for_credentials_of_a_later_moment_is_believed() {
    let bench = bench([key(1, 0)]);
    let later = Timestamp::from_micros(START).plus(Duration::from_hours(1));
    let token = bench.tokens.issue(&jane(), later, access()).unwrap().token;
    assert_eq!(bench.tokens.verify(token.reveal()).unwrap().issued_at, later);
}

#[test]
fn keys_take_turns_and_leave() {
    let later = START + 60_000_000;
    let bench = bench([key(2, later), key(1, 0)]);
    let kid = |token: &str| decode_header(token).unwrap().kid.unwrap();
    let first = bench.issue();
    assert_eq!(kid(&first), key(1, 0).kid());
    bench.pass(Duration::from_mins(1));
    assert_eq!(kid(&bench.issue()), key(2, 0).kid());
    assert!(bench.tokens.verify(&first).is_ok());
    bench.tokens.set_keys(KeySet::new([key(2, later)]));
    assert_eq!(bench.tokens.verify(&first), Err(TokenError::UnknownKey), "also what was remembered");
    bench.tokens.set_keys(KeySet::default());
    assert_eq!(
        bench.tokens.issue(&jane(), Timestamp::from_micros(0), vec![]).unwrap_err(),
        IssueError::NoKey
    );
}

#[test]
fn a_token_that_nobody_could_show_is_not_issued() {
    let bench = bench([key(1, 0)]);
    let shortest = bench.issue().len();
    let settings = TokenSettings { longest: shortest, ..bench.tokens.settings.clone() };
    let (clock, keys) = (Arc::<FakeClock>::clone(&bench.clock), KeySet::new([key(1, 0)]));
    let narrow = Tokens::new(settings, keys, clock, Arc::new(SystemEntropy));
    let issue = |access| narrow.issue(&jane(), Timestamp::from_micros(START), access);
    let fits = issue(access()).unwrap().token;
    assert!(narrow.verify(fits.reveal()).is_ok());
    let two = [access(), access()].concat();
    assert_eq!(issue(two.clone()).unwrap_err(), IssueError::Long(shortest));
    let longer = bench.tokens.issue(&jane(), Timestamp::from_micros(START), two).unwrap().token;
    assert_eq!(narrow.verify(longer.reveal()), Err(TokenError::Long));
}

#[test]
fn the_published_set_holds_public_halves_only() {
    let set: serde_json::Value = serde_json::from_str(&KeySet::new([key(1, 0), key(2, 5)]).jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(
        (&keys[0]["kty"], &keys[0]["crv"], &keys[0]["use"]),
        (&"OKP".into(), &"Ed25519".into(), &"sig".into())
    );
    assert_eq!(keys[0]["kid"].as_str(), Some(key(1, 0).kid()));
    assert!(keys.iter().all(|key| key.get("d").is_none()));
}
