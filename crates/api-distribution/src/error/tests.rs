//! What clients see of the server's own failures: the right status, a remedy, and nothing from inside.

use std::io;

use axum::http::header::WWW_AUTHENTICATE;
use berth_domain::Location;
use berth_oci::Reference;
use berth_oci::manifest::ManifestError;
use berth_registry::{BodyError, DatabaseError, Error as E, StorageError};
use http_body_util::BodyExt;

use super::*;

const INSIDE: &str = "/secret/path";

async fn answered(error: berth_registry::Error) -> (u16, bool, String) {
    let answer = Error::from(error).answer("id");
    let status = answer.status().as_u16();
    let retry = answer.headers().contains_key(RETRY_AFTER);
    assert!(!answer.headers().contains_key(WWW_AUTHENTICATE));
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, retry, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn failures_inside_are_masked_and_say_what_to_do() {
    let io = || io::Error::other(INSIDE);
    let source = || -> Box<dyn std::error::Error + Send + Sync> { INSIDE.into() };
    let location = || Location::new(INSIDE);
    for (error, status, code, retry) in [
        (E::Storage(StorageError::Full(io())), 507, "UNAVAILABLE", false),
        (E::Storage(StorageError::ReadOnly(io())), 503, "UNAVAILABLE", true),
        (E::Storage(StorageError::Exhausted(io())), 503, "UNAVAILABLE", true),
        (E::Storage(StorageError::Denied(io())), 503, "UNAVAILABLE", true),
        (E::Storage(StorageError::Away(io())), 503, "UNAVAILABLE", true),
        (E::Storage(StorageError::Io(io())), 500, "UNKNOWN", false),
        (E::Storage(StorageError::Missing(location())), 500, "UNKNOWN", false),
        (E::Storage(StorageError::Corrupt(location(), INSIDE.to_owned())), 500, "UNKNOWN", false),
        (E::Database(DatabaseError::Conflict), 503, "UNAVAILABLE", true),
        (E::Database(DatabaseError::Unavailable(source())), 503, "UNAVAILABLE", true),
        (E::Database(DatabaseError::Full(source())), 507, "UNAVAILABLE", false),
        (E::Database(DatabaseError::ReadOnly(source())), 503, "UNAVAILABLE", true),
        (E::Database(DatabaseError::Corrupt(INSIDE.to_owned())), 500, "UNKNOWN", false),
        (E::Database(DatabaseError::Backend(source())), 500, "UNKNOWN", false),
        (E::Body(BodyError::Stalled), 408, "SIZE_INVALID", false),
        (E::Crowded, 503, "UNAVAILABLE", true),
    ] {
        let said = format!("{error:?}");
        let (answered, retries, body) = answered(error).await;
        assert_eq!((answered, retries), (status, retry), "{said}");
        assert!(body.contains(code), "{said}: {body}");
        assert!(!body.contains(INSIDE), "{said}: {body}");
    }
}

#[tokio::test]
async fn what_a_large_manifest_lacks_makes_no_large_answer() {
    let missing = (0..30_000_u32).map(|number| Digest::sha256(&number.to_be_bytes())).collect();
    let (status, _, body) = answered(E::ManifestBlobUnknown(missing)).await;
    assert_eq!((status, body.matches("MANIFEST_BLOB_UNKNOWN").count()), (400, 100));
}

#[test]
fn what_is_wrong_with_a_request_is_said_with_what_to_do() {
    let digest = Digest::sha256(b"berth");
    for (error, remedy) in [
        (E::NameUnknown("library/none".parse().unwrap()).into(), "push to it first"),
        (E::ManifestUnknown(Reference::Digest(digest)).into(), "push it first"),
        (E::SizeMismatch { expected: 2, actual: 1 }.into(), "send exactly as many"),
        (E::DescriptorSize { digest, said: 2, size: 1 }.into(), "write that as its size"),
        (E::ManifestInvalid(ManifestError::Json("why".to_owned())).into(), "correct its JSON"),
        (E::ManifestInvalid(ManifestError::MissingField("config")).into(), "add it"),
        (E::ManifestInvalid(ManifestError::MisplacedField("config")).into(), "remove it"),
        (E::ManifestInvalid(ManifestError::SchemaVersion).into(), "write that"),
        (Error::Range { size: 2 }, "ask for a part of them"),
        (Error::ContentRangeLength { range: 2, body: 1 }, "make them the same"),
    ] {
        let said = error.to_string();
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn nobody_is_told_to_come_too_early() {
    for (millis, seconds) in [(1, "1"), (1000, "1"), (1500, "2"), (59_001, "60")] {
        let slow = LoginError::Slow { retry_after: std::time::Duration::from_millis(millis) };
        let words = slow.to_string();
        assert!(words.contains(&format!("wait {seconds} seconds")), "{words}");
        let answer = Error::from(slow).answer("id");
        assert_eq!(answer.headers()[RETRY_AFTER], seconds, "{millis} ms");
    }
}

#[test]
fn the_log_gets_every_source() {
    let error = Error::from(E::Storage(StorageError::Full(io::Error::other("no space"))));
    assert_eq!(chain(&error), "storage is full: no space");
}
