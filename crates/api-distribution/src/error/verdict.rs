//! The one place where failures become statuses and codes.
//!
//! What is the client's to change is said in words that tell what to do. What is the server's fault is masked, except where the
//! words name nothing but the remedy: an operator often sees only what their client prints.

use std::borrow::Cow;

use axum::http::StatusCode;
use berth_access::token::IssueError;
use berth_access::{LoginError, Reason, whole_seconds};
use berth_oci::reference::ReferenceError;
use berth_oci::{Digest, ErrorCode};
use berth_registry::{BodyError, DatabaseError, StorageError};
use serde_json::{Value, json};

use super::Error;
use crate::RouteError;

/// How many of the digests that are missing an answer names: a manifest may name ten thousands.
const MOST_NAMED: usize = 100;

/// What an error is to a client.
pub(super) struct Verdict {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    /// Instead of the error's own words.
    pub(super) message: Option<Cow<'static, str>>,
    /// One entry of the body for each; one without detail if there are none.
    pub(super) details: Vec<Value>,
    /// Seconds.
    pub(super) retry_after: Option<u32>,
}

impl Verdict {
    fn new(status: StatusCode, code: ErrorCode) -> Self {
        Self { status, code, message: None, details: Vec::new(), retry_after: None }
    }

    fn detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    fn each(mut self, digests: &[Digest]) -> Self {
        self.details = digests.iter().take(MOST_NAMED).map(|digest| json!({ "digest": digest })).collect();
        self
    }

    fn says(mut self, message: &'static str) -> Self {
        self.message = Some(message.into());
        self
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl Error {
    pub(super) fn verdict(&self) -> Verdict {
        use StatusCode as S;
        match self {
            Self::Registry(error) => registry(error),
            Self::Upload(upload) => registry(&upload.cause),
            Self::Route(error) => route(error),
            Self::TooManyTags { .. } => Verdict::new(S::URI_TOO_LONG, ErrorCode::Unsupported),
            Self::Method { .. } => Verdict::new(S::METHOD_NOT_ALLOWED, ErrorCode::Unsupported),
            Self::Digest(_) | Self::NoDigest => Verdict::new(S::BAD_REQUEST, ErrorCode::DigestInvalid),
            Self::Tag(_) => Verdict::new(S::BAD_REQUEST, ErrorCode::TagInvalid),
            Self::MediaType(_) => Verdict::new(S::BAD_REQUEST, ErrorCode::ManifestInvalid),
            Self::PageNumber | Self::PagePosition => {
                Verdict::new(S::BAD_REQUEST, ErrorCode::PaginationNumberInvalid)
            }
            Self::Condition(_) => Verdict::new(S::BAD_REQUEST, ErrorCode::Unsupported),
            Self::Changed { current } => Verdict::new(S::PRECONDITION_FAILED, ErrorCode::PreconditionFailed)
                .detail(json!({ "digest": current })),
            Self::NotAccepted { stored } => {
                Verdict::new(S::NOT_FOUND, ErrorCode::ManifestUnknown).detail(json!({ "mediaType": stored }))
            }
            Self::Range { size } => Verdict::new(S::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid)
                .detail(json!({ "size": size })),
            Self::ContentRange => Verdict::new(S::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid),
            Self::ContentRangeLength { .. } => Verdict::new(S::BAD_REQUEST, ErrorCode::SizeInvalid),
            Self::Credentials(_) | Self::Scope => Verdict::new(S::UNAUTHORIZED, ErrorCode::Unauthorized),
            Self::Login(error) => login(error),
            Self::Scopes(_) | Self::Form(_) | Self::Service { .. } => {
                Verdict::new(S::BAD_REQUEST, ErrorCode::Unsupported)
            }
            Self::Busy => Verdict::new(S::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests).retry_after(5),
        }
    }
}

fn route(error: &RouteError) -> Verdict {
    match error {
        RouteError::Nothing => Verdict::new(StatusCode::NOT_FOUND, ErrorCode::Unsupported),
        RouteError::Name(_) => Verdict::new(StatusCode::BAD_REQUEST, ErrorCode::NameInvalid),
        RouteError::Digest(_) | RouteError::Reference(ReferenceError::Digest(_)) => {
            Verdict::new(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid)
        }
        RouteError::Reference(ReferenceError::Tag(_)) => {
            Verdict::new(StatusCode::BAD_REQUEST, ErrorCode::TagInvalid)
        }
        RouteError::Upload => Verdict::new(StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
    }
}

fn registry(error: &berth_registry::Error) -> Verdict {
    use StatusCode as S;
    use berth_registry::Error as E;
    match error {
        E::Denied(denied) => match denied.reason {
            Reason::Anonymous | Reason::Scope | Reason::Revoked => {
                Verdict::new(S::UNAUTHORIZED, ErrorCode::Unauthorized)
            }
            Reason::Missing => Verdict::new(S::FORBIDDEN, ErrorCode::Denied),
            Reason::Unavailable => unavailable(5),
        },
        E::NameUnknown(name) => {
            Verdict::new(S::NOT_FOUND, ErrorCode::NameUnknown).detail(json!({ "name": name }))
        }
        E::ProjectUnknown(name) => {
            Verdict::new(S::NOT_FOUND, ErrorCode::NameUnknown).detail(json!({ "project": name }))
        }
        E::BlobUnknown(digest) => {
            Verdict::new(S::NOT_FOUND, ErrorCode::BlobUnknown).detail(json!({ "digest": digest }))
        }
        E::ManifestUnknown(reference) => Verdict::new(S::NOT_FOUND, ErrorCode::ManifestUnknown)
            .detail(json!({ "reference": reference.to_string() })),
        E::BlobInUse(manifests) => Verdict::new(S::METHOD_NOT_ALLOWED, ErrorCode::Unsupported)
            .detail(json!({ "manifests": manifests })),
        E::UploadUnknown => Verdict::new(S::NOT_FOUND, ErrorCode::BlobUploadUnknown),
        E::OutOfOrder { offset } | E::UploadBusy { offset } => {
            Verdict::new(S::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid)
                .detail(json!({ "offset": offset }))
        }
        E::DigestMismatch { expected, actual } => Verdict::new(S::BAD_REQUEST, ErrorCode::DigestInvalid)
            .detail(json!({ "expected": expected, "actual": actual })),
        E::SizeMismatch { expected, actual } => Verdict::new(S::BAD_REQUEST, ErrorCode::SizeInvalid)
            .detail(json!({ "expected": expected, "actual": actual })),
        E::Body(BodyError::Stalled) => Verdict::new(S::REQUEST_TIMEOUT, ErrorCode::SizeInvalid),
        E::Body(BodyError::Disconnected | BodyError::TooLong) => {
            Verdict::new(S::BAD_REQUEST, ErrorCode::SizeInvalid)
        }
        E::ManifestInvalid(_) => Verdict::new(S::BAD_REQUEST, ErrorCode::ManifestInvalid),
        E::ManifestTooLarge { limit } => {
            Verdict::new(S::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid).detail(json!({ "limit": limit }))
        }
        E::ManifestBlobUnknown(digests) => {
            Verdict::new(S::BAD_REQUEST, ErrorCode::ManifestBlobUnknown).each(digests)
        }
        E::DescriptorSize { digest, .. } => {
            Verdict::new(S::BAD_REQUEST, ErrorCode::ManifestInvalid).detail(json!({ "digest": digest }))
        }
        E::Precondition { current } => Verdict::new(S::PRECONDITION_FAILED, ErrorCode::PreconditionFailed)
            .detail(json!({ "digest": current })),
        E::Unsupported(_) => Verdict::new(S::BAD_REQUEST, ErrorCode::Unsupported),
        E::Crowded => unavailable(5),
        E::Storage(error) => storage(error),
        E::Database(error) => database(error),
    }
}

fn login(error: &LoginError) -> Verdict {
    match error {
        LoginError::Wrong | LoginError::Token(_) | LoginError::Revoked | LoginError::Means => {
            Verdict::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized)
        }
        LoginError::Issue(IssueError::Long(_)) => {
            Verdict::new(StatusCode::BAD_REQUEST, ErrorCode::Unsupported)
        }
        LoginError::Issue(IssueError::NoKey) => unavailable(5),
        LoginError::Slow { retry_after } => {
            let seconds = u32::try_from(whole_seconds(*retry_after)).unwrap_or(u32::MAX);
            Verdict::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests).retry_after(seconds)
        }
        LoginError::Busy => {
            Verdict::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests).retry_after(1)
        }
        LoginError::Database(error) => database(error),
        LoginError::Password(_) => inside(),
    }
}

fn storage(error: &StorageError) -> Verdict {
    match error {
        StorageError::Full(_) => full("the storage is full: its operator must make room; nothing was lost"),
        StorageError::ReadOnly(_) => unavailable(60)
            .says("the storage cannot be written to: its operator must make it writable again; pulls still work"),
        StorageError::Exhausted(_) => unavailable(5)
            .says("the server has no file descriptors or memory left: try again, or its operator must raise the limits"),
        StorageError::Denied(_) => unavailable(60)
            .says("the storage may not be read: its operator must give the server the permission, the log says on which file; nothing was lost"),
        StorageError::Away(_) => unavailable(5)
            .says("the storage does not answer: its operator must see whether its volume works and is mounted; nothing was lost"),
        StorageError::Missing(_) | StorageError::Corrupt(..) | StorageError::Io(_) => inside(),
    }
}

fn database(error: &DatabaseError) -> Verdict {
    match error {
        DatabaseError::Conflict => unavailable(1).says("another change came first: try again"),
        DatabaseError::Unavailable(_) => unavailable(5).says("the database does not answer: try again"),
        DatabaseError::Full(_) => {
            full("the database's disk is full: its operator must make room; nothing was lost")
        }
        DatabaseError::ReadOnly(_) => unavailable(60).says(
            "the database cannot be written to: its operator must make it writable again; pulls still work",
        ),
        DatabaseError::Corrupt(_) | DatabaseError::Backend(_) => inside(),
    }
}

fn full(message: &'static str) -> Verdict {
    Verdict::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::Unavailable).says(message)
}

fn unavailable(seconds: u32) -> Verdict {
    Verdict::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable).retry_after(seconds)
}

fn inside() -> Verdict {
    Verdict::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown)
        .says("something went wrong inside: its operator finds the reason in the log under this answer's X-Request-Id")
}
