//! Tokens that were made by others, for others, or for another time; and more of everything than anybody needs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth_access::scope::{ResourceActions, parse_scopes};
use berth_access::token::{KeySet, LONGEST_TOKEN, SigningKey, TokenSettings, Tokens};
use berth_domain::{Actor, ActorKind, Clock, SystemClock, SystemEntropy, Timestamp};

use crate::house::{House, PASSWORD, basic};

const MANIFEST: &str = "/v2/library/a/manifests/1";

/// A clock that stands.
#[derive(Debug)]
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Makes tokens for the administrator, more or less as the house does.
struct Forger {
    keys: KeySet,
    issuer: &'static str,
    service: &'static str,
    now: Timestamp,
}

impl Forger {
    /// One that has the house's own keys and settings.
    fn of(house: &House) -> Self {
        let keys = (*house.gatekeeper.keyring().tokens().keys()).clone();
        Self { keys, issuer: "berth", service: "harbor-registry", now: SystemClock.now() }
    }

    fn token(self) -> String {
        let settings = TokenSettings {
            issuer: self.issuer.to_owned(),
            service: self.service.to_owned(),
            lifetime: Duration::from_mins(30),
            remembered: 1,
            longest: LONGEST_TOKEN,
        };
        let tokens = Tokens::new(settings, self.keys, Arc::new(At(self.now)), Arc::new(SystemEntropy));
        let access: Vec<ResourceActions> = parse_scopes(["repository:library/a:pull"]).expect("scopes");
        let admin = Actor { kind: ActorKind::User, id: 1, name: "admin".to_owned() };
        tokens.issue(&admin, SystemClock.now(), access).expect("a token").token.reveal().to_owned()
    }
}

/// The three parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().expect("three parts")
}

/// Keys that nobody here knows.
fn foreign() -> KeySet {
    KeySet::new([SigningKey::from_seed(&[7; 32], Timestamp::from_micros(0)).expect("a key")])
}

#[tokio::test]
async fn tokens_of_others_are_refused_with_words_also_where_nobody_needs_one() {
    let house = House::open().await;
    house.push_image("library/a", "1", "layer").await;
    let good = Forger::of(&house).token();
    let ask = async |token: &str| {
        house.ask_as(&format!("Bearer {token}"), "GET", MANIFEST, &[], Body::empty()).await
    };
    assert_eq!(ask(&good).await.status, 200, "the forger is good at it");
    let [head, claims, signature] = parts(&good);
    let kid = house.gatekeeper.keyring().tokens().keys().ids().next().unwrap().to_owned();
    let header = |alg: &str| {
        URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{alg}\",\"typ\":\"JWT\",\"kid\":\"{kid}\"}}"))
    };
    let hour = Duration::from_hours(1);
    let other = Forger { keys: foreign(), ..Forger::of(&house) }.token();
    let more = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let more = String::from_utf8(more).unwrap().replace("\"pull\"", "\"push\"");
    for (what, token, words) in [
        ("no algorithm", format!("{}.{claims}.", header("none")), "algorithm"),
        ("no algorithm, signed", format!("{}.{claims}.{signature}", header("None")), "algorithm"),
        ("a shared secret", format!("{}.{claims}.{signature}", header("HS256")), "algorithm"),
        (
            "another audience",
            Forger { service: "elsewhere", ..Forger::of(&house) }.token(),
            "another service",
        ),
        ("another issuer", Forger { issuer: "someone", ..Forger::of(&house) }.token(), "another issuer"),
        (
            "of the future",
            Forger { now: SystemClock.now().plus(hour), ..Forger::of(&house) }.token(),
            "not valid yet",
        ),
        ("over", Forger { now: SystemClock.now().minus(hour), ..Forger::of(&house) }.token(), "expired"),
        ("a foreign key", other.clone(), "unknown key"),
        ("a foreign key by our name", format!("{head}.{claims}.{}", parts(&other)[2]), "signature"),
        ("more rights", format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(more)), "signature"),
        ("cut short", good[..good.len() - 9].to_owned(), "malformed"),
        ("without its signature", format!("{head}.{claims}."), "the token"),
        ("without its end", format!("{head}.{claims}"), "malformed"),
        ("without its claims", head.to_owned(), "malformed"),
        ("nothing that is base64", "a.b.c".to_owned(), "malformed"),
    ] {
        let answer = ask(&token).await;
        answer.expect(401, "UNAUTHORIZED");
        assert!(answer.text().contains(words), "{what}: {}", answer.text());
        let challenge = answer.header("www-authenticate");
        assert!(challenge.ends_with("error=\"invalid_token\""), "{what}: {challenge}");
    }
    assert_eq!(ask(&good).await.status, 200, "nobody else is the worse for it");
}

#[tokio::test]
async fn credentials_of_a_megabyte_are_not_looked_at() {
    let house = House::open().await;
    house.push_image("library/a", "1", "layer").await;
    for authorization in
        [format!("Bearer {}", "a".repeat(1 << 20)), format!("Basic {}", "YWFh".repeat(1 << 18))]
    {
        for path in ["/v2/", MANIFEST, "/service/token?service=harbor-registry"] {
            let answer = house.ask_as(&authorization, "GET", path, &[], Body::empty()).await;
            answer.expect(401, "UNAUTHORIZED");
            assert!(answer.text().contains("longer than any that is issued here"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn why_there_is_no_token_is_said_apart_from_wrong_credentials() {
    let house = House::open().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = async |repositories: u32| {
        let login =
            "grant_type=password&service=harbor-registry&username=admin&password=Passw0rd+of+everyone";
        let scopes = (0..repositories).map(|number| format!("&scope=repository:library/{number:0>200}:pull"));
        let text = login.to_owned() + &scopes.collect::<String>();
        house.ask_as("", "POST", "/service/token", &form, text).await
    };
    assert_eq!(post(20).await.status, 200);
    let long = post(100).await;
    long.expect(400, "UNSUPPORTED");
    assert!(long.text().contains("ask for fewer repositories in one token"), "{}", long.text());
    house.gatekeeper.keyring().tokens().set_keys(KeySet::default());
    let keyless = post(1).await;
    keyless.expect(503, "UNAVAILABLE");
    assert!(keyless.text().contains("tokens cannot be signed now"), "{}", keyless.text());
}

#[tokio::test]
async fn ten_thousand_scopes_are_too_many() {
    let house = House::open().await;
    let admin = basic("admin", PASSWORD);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let post = async |scopes: &str| {
        let login =
            "grant_type=password&service=harbor-registry&username=admin&password=Passw0rd+of+everyone";
        house.ask_as("", "POST", "/service/token", &form, format!("{login}{scopes}")).await
    };
    let together = format!("&scope={}", "a:b:c+".repeat(10_000));
    let apart = "&scope=a:b:c".repeat(10_000);
    let path = format!("/service/token?service=harbor-registry{together}");
    for (answer, words) in [
        (house.ask_as(&admin, "GET", &path, &[], Body::empty()).await, "more than 100 scopes"),
        (post(&together).await, "more than 100 scopes"),
        (post(&apart).await, "more than 100 scopes"),
        (post(&"&scope=repository:library/a:pull".repeat(10_000)).await, "ask for fewer scopes"),
    ] {
        answer.expect(400, "UNSUPPORTED");
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}
