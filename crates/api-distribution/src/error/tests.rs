//! What clients see of the server's own failures: the right status, a remedy, and nothing from inside.

use std::io;

use axum::http::header::WWW_AUTHENTICATE;
use berth_access::Denied;
use berth_access::token::{IssueError, TokenError};
use berth_domain::{Action, Location, Resource};
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

/// What clients can do wrong, and some of the words that tell what to do then.
type Remedies = Vec<(Error, &'static str)>;

/// What the registry finds wrong.
fn with_content() -> Remedies {
    let digest = Digest::sha256(b"berth");
    let repository: RepositoryName = "library/none".parse().unwrap();
    let ticket = UploadTicket { id: uuid::Uuid::nil(), state: String::new() };
    let elsewhere = |error| Error::of_upload(error, &repository, ticket.clone());
    vec![
        (E::NameUnknown(repository.clone()).into(), "push to it first"),
        (E::ProjectUnknown(repository.project()).into(), "make it first"),
        (E::BlobUnknown(digest).into(), "push it first"),
        (E::BlobInUse(vec![digest]).into(), "delete that first"),
        (E::ManifestUnknown(Reference::Digest(digest)).into(), "push it first"),
        (E::UploadUnknown.into(), "start a new one with POST"),
        (elsewhere(E::OutOfOrder { offset: 7 }), "continue at byte 7"),
        (elsewhere(E::UploadBusy { offset: 7 }), "ask for its status"),
        (E::DigestMismatch { expected: digest, actual: Box::new(digest) }.into(), "send it again"),
        (E::SizeMismatch { expected: 2, actual: 1 }.into(), "send exactly as many"),
        (E::Body(BodyError::Disconnected).into(), "send it again"),
        (E::Body(BodyError::Stalled).into(), "ask the upload's status and go on, or send it again"),
        (E::Body(BodyError::TooLong).into(), "send as many bytes as Content-Length says"),
        (E::ManifestTooLarge { limit: 1 }.into(), "raise registry.manifest_limit or push less"),
        (E::ManifestBlobUnknown(vec![digest]).into(), "push it first"),
        (E::DescriptorSize { digest, said: 2, size: 1 }.into(), "write that as its size"),
        (E::Precondition { current: None }.into(), "look at it again"),
        (E::Precondition { current: Some(digest) }.into(), "look at it again"),
        (E::Crowded.into(), "try again in a few seconds"),
    ]
}

/// What is wrong with a manifest itself.
fn with_manifests() -> Remedies {
    let media_type = |text: &str| text.parse().unwrap();
    let (header, body) = (media_type("a/b"), media_type("a/c"));
    let (key, field) = ("Layers".to_owned(), "layers");
    let errors = [
        (ManifestError::Json("why".to_owned()), "correct its JSON"),
        (ManifestError::DuplicateKey("layers".to_owned()), "remove one of them"),
        (ManifestError::MistakableKey { key, field }, "write `layers`, or leave it out"),
        (ManifestError::Contradiction { header, body }, "send both the same"),
        (ManifestError::NoMediaType, "send a Content-Type"),
        (ManifestError::MissingField("config"), "add it"),
        (ManifestError::MisplacedField("config"), "remove it"),
        (ManifestError::SchemaVersion, "write that"),
        (ManifestError::ArtifactType, "write a media type"),
        (ManifestError::Schema1, "push with a Docker release from 2017 or later"),
    ];
    Vec::from(errors.map(|(error, remedy)| (Error::from(E::ManifestInvalid(error)), remedy)))
}

/// What is wrong with a path.
fn with_paths() -> Remedies {
    let long = format!("/v2/a/{}/tags/list", "b".repeat(300));
    let paths = [
        ("/v2/x", "see the endpoints"),
        (&long, "choose a shorter one"),
        ("/v2/a/B/tags/list", "use lower-case letters and digits"),
        ("/v2/one/tags/list", "for example library/one"),
        ("/v2/a__b/c/tags/list", "joined by single"),
        ("/v2/a/b/blobs/x", "write algorithm:hex"),
        ("/v2/a/b/blobs/sha384:00", "use sha256 or sha512"),
        ("/v2/a/b/blobs/sha256:00", "64 lower-case hex digits after the colon"),
        ("/v2/a/b/referrers/x", "write algorithm:hex"),
        ("/v2/a/b/manifests/sha256:x", "64 lower-case hex digits"),
        ("/v2/a/b/manifests/.x", "use 1 to 128 letters"),
        ("/v2/a/b/blobs/uploads/x", "start a new one with POST"),
    ];
    Vec::from(paths.map(|(path, remedy)| (Error::from(crate::Route::parse(path).unwrap_err()), remedy)))
}

/// What this door finds wrong with queries and headers.
fn with_fields() -> Remedies {
    let current = Digest::sha256(b"berth");
    vec![
        (Error::Method { allow: "GET, HEAD" }, "takes GET, HEAD only"),
        ("md5:00".parse::<Digest>().unwrap_err().into(), "use sha256 or sha512"),
        (".x".parse::<berth_oci::Tag>().unwrap_err().into(), "use 1 to 128 letters"),
        ("x".parse::<berth_oci::MediaType>().unwrap_err().into(), "write type/subtype"),
        (Error::NoDigest, "close the upload with PUT and ?digest="),
        (Error::TooManyTags { limit: 100 }, "send the others with the next one"),
        (Error::PageNumber, "must be a number from 0 on"),
        (Error::PagePosition, "start without `after`"),
        (Error::Changed { current }, "list it too, or leave If-Match out"),
        (Error::NotAccepted { stored: "a/b".to_owned() }, "add it to Accept"),
        (Error::Range { size: 2 }, "ask for a part of them"),
        (Error::ContentRange, "for example 0-1023"),
        (Error::ContentRangeLength { range: 2, body: 1 }, "make them the same"),
        (Error::Service { service: "berth".to_owned() }, "service=berth only: ask with that"),
        (Error::Busy, "try again in a few seconds"),
    ]
}

/// What is wrong with who asks. Wrong passwords and rights that nobody gave are told by what they are: who could mend them is not
/// known here.
fn with_credentials() -> Remedies {
    let denied = |reason| {
        let (resource, action) = (Resource::Repository, Action::Push);
        Error::from(E::Denied(Denied { resource, action, repository: None, anonymous: false, reason }))
    };
    let retry_after = std::time::Duration::from_secs(3);
    let mut remedies = vec![
        (denied(Reason::Anonymous), "log in first"),
        (denied(Reason::Scope), "ask for one with this scope"),
        (denied(Reason::Revoked), "log in again"),
        (denied(Reason::Unavailable), "try again shortly"),
        (Error::Scope, "ask for one that does"),
        (ScopeError::Many.into(), "ask for several tokens"),
        (ScopeError::Long.into(), "name one repository in it"),
        (ScopeError::Malformed("x".to_owned()).into(), "expected type:name:actions"),
        (LoginError::Slow { retry_after }.into(), "wait 3 seconds"),
        (LoginError::Busy.into(), "try again shortly"),
        (LoginError::Revoked.into(), "log in again"),
        (LoginError::Means.into(), "show a password"),
        (LoginError::Issue(IssueError::Long(1)).into(), "ask for fewer repositories in one token"),
        (LoginError::Issue(IssueError::NoKey).into(), "try again"),
    ];
    let tokens = [
        (TokenError::Long, "log in again"),
        (TokenError::Malformed, "log in again"),
        (TokenError::Algorithm, "log in again"),
        (TokenError::UnknownKey, "log in again"),
        (TokenError::Signature, "log in again"),
        (TokenError::Audience, "log in here"),
        (TokenError::Issuer, "log in here"),
        (TokenError::Expired, "log in again"),
        (TokenError::NotYet, "check the clocks"),
    ];
    remedies.extend(tokens.map(|(error, remedy)| (Error::from(LoginError::Token(error)), remedy)));
    remedies
}

#[test]
fn what_is_wrong_with_a_request_is_said_with_what_to_do() {
    let all = [with_content(), with_manifests(), with_paths(), with_fields(), with_credentials()];
    for (error, remedy) in all.into_iter().flatten() {
        // The words are the client's, not masked.
        assert!(error.verdict().message.is_none(), "{error:?}");
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
