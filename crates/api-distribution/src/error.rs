//! Why a request gets no: what the registry says, and what this door itself finds wrong.

mod verdict;

use axum::http::header::{ALLOW, CONTENT_RANGE, ETAG, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use berth_access::scope::ScopeError;
use berth_access::{LoginError, Reason};
use berth_domain::chain;
use berth_http::{Problem, problems};
use berth_oci::digest::DigestError;
use berth_oci::media_type::MediaTypeError;
use berth_oci::tag::TagError;
use berth_oci::{Digest, RepositoryName};
use berth_registry::UploadTicket;

use crate::challenge::Challenge;
use crate::{RouteError, answer, uploads};

/// Everything that is answered with an `errors` body; the words are for the client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A use case did not happen.
    #[error(transparent)]
    Registry(Box<berth_registry::Error>),
    /// The path names nothing.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The route does not take the method.
    #[error("this takes {allow} only")]
    Method { allow: &'static str },
    /// A digest in the query.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A tag in the query.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The `Content-Type` of a manifest.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// An upload is to be closed without saying what it is.
    #[error("the digest is missing: close the upload with PUT and ?digest=algorithm:hex")]
    NoDigest,
    /// More tags at once than are taken.
    #[error("at most {limit} tags can be pushed with one request: send the others with the next one")]
    TooManyTags { limit: usize },
    /// `n` is not a number.
    #[error("n must be a number from 0 on")]
    PageNumber,
    /// The position of a page was not given out here.
    #[error("the position of the page is unknown: start without `after` and follow the Link headers")]
    PagePosition,
    /// A condition that cannot be decided.
    #[error("{0}")]
    Condition(&'static str),
    /// The content is not the one that the client wants (`If-Match` on reading).
    #[error("the content is {current}, which If-Match does not list: list it too, or leave If-Match out")]
    Changed { current: Digest },
    /// The client's `Accept` leaves out what is stored.
    #[error(
        "the manifest is stored as {stored}, which the Accept header does not list, and is never converted: add it to Accept"
    )]
    NotAccepted { stored: String },
    /// Nothing of what `Range` asks for exists.
    #[error(
        "the range lies outside of the content, which has {size} bytes: ask for a part of them, or leave out Range"
    )]
    Range { size: u64 },
    /// The `Content-Range` of a chunk cannot be read.
    #[error(
        "the Content-Range must be <first>-<last>, both inclusive and without a unit: for example 0-1023"
    )]
    ContentRange,
    /// The `Content-Range` and the `Content-Length` of a chunk contradict each other.
    #[error("the Content-Range covers {range} bytes but the body has {body}: make them the same")]
    ContentRangeLength { range: u64, body: u64 },
    /// A chunk does not continue its upload; the answer says where to go on.
    #[error(transparent)]
    Upload(Box<UploadError>),
    /// Nobody can be known by what was shown.
    #[error("{0}")]
    Credentials(&'static str),
    /// What was shown was looked at, and refused.
    #[error(transparent)]
    Login(Box<LoginError>),
    /// The token was not asked for with a repository that the request names beside its own.
    #[error("the token does not speak of the source repository: ask for one that does")]
    Scope,
    /// Scopes that cannot be read.
    #[error(transparent)]
    Scopes(#[from] ScopeError),
    /// A form that cannot be read.
    #[error("{0}")]
    Form(&'static str),
    /// A token for somebody else is asked for.
    #[error("tokens are issued for service={service} only: ask with that")]
    Service { service: String },
    /// Too many bodies come in at once.
    #[error("too many uploads are running: try again in a few seconds")]
    Busy,
}

/// A chunk that does not continue its upload.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub(crate) struct UploadError {
    cause: berth_registry::Error,
    repository: RepositoryName,
    ticket: UploadTicket,
    offset: u64,
}

impl From<berth_registry::Error> for Error {
    fn from(error: berth_registry::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<LoginError> for Error {
    fn from(error: LoginError) -> Self {
        Self::Login(Box::new(error))
    }
}

impl Error {
    /// What other credentials might help, if any do.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        match self {
            Self::Credentials(_) => Some(Challenge::Credentials),
            Self::Scope => Some(Challenge::Token("insufficient_scope")),
            Self::Login(error) => match **error {
                LoginError::Wrong | LoginError::Means => Some(Challenge::Credentials),
                LoginError::Token(_) | LoginError::Revoked => Some(Challenge::Token("invalid_token")),
                _ => None,
            },
            Self::Registry(error) => match &**error {
                berth_registry::Error::Denied(denied) => match denied.reason {
                    Reason::Anonymous => Some(Challenge::Credentials),
                    Reason::Scope => Some(Challenge::Token("insufficient_scope")),
                    Reason::Revoked => Some(Challenge::Token("invalid_token")),
                    Reason::Missing | Reason::Unavailable => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// A failure of writing to an upload: where it goes on is said if it can go on.
    pub(crate) fn of_upload(
        error: berth_registry::Error,
        repository: &RepositoryName,
        ticket: UploadTicket,
    ) -> Self {
        match error {
            berth_registry::Error::OutOfOrder { offset } | berth_registry::Error::UploadBusy { offset } => {
                let repository = repository.clone();
                Self::Upload(Box::new(UploadError { cause: error, repository, ticket, offset }))
            }
            other => other.into(),
        }
    }

    /// The answer; says in the log what happened, once, here.
    pub(crate) fn answer(&self, request_id: &str) -> Response {
        let verdict = self.verdict();
        if verdict.status.is_server_error() {
            let status = verdict.status.as_u16();
            tracing::error!(request_id, status, error = chain(self), "the request failed");
        } else {
            tracing::debug!(request_id, status = verdict.status.as_u16(), error = %self, "the request was refused");
        }
        let message = verdict.message.unwrap_or_else(|| self.to_string().into());
        let problem = |detail| Problem { code: verdict.code.as_str(), message: message.clone(), detail };
        let answer = if verdict.details.is_empty() {
            problems(verdict.status, &[problem(None)])
        } else {
            let each: Vec<_> = verdict.details.into_iter().map(|detail| problem(Some(detail))).collect();
            problems(verdict.status, &each)
        };
        self.with_headers(answer, verdict.retry_after)
    }

    /// Adds what the status demands beside the body.
    fn with_headers(&self, mut answer: Response, retry_after: Option<u32>) -> Response {
        let headers: &mut HeaderMap = answer.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self {
            Self::Method { allow } => {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            Self::Registry(error) => match **error {
                berth_registry::Error::BlobInUse(_) => {
                    headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                }
                berth_registry::Error::Precondition { current: Some(current) } => {
                    headers.insert(ETAG, answer::entity_tag(&current));
                }
                _ => {}
            },
            Self::Changed { current } => {
                headers.insert(ETAG, answer::entity_tag(current));
            }
            Self::Range { size } => {
                headers.insert(CONTENT_RANGE, answer::value(format!("bytes */{size}")));
            }
            Self::Upload(upload) => {
                uploads::describe(headers, &upload.repository, &upload.ticket, upload.offset);
            }
            _ => {}
        }
        answer
    }
}

#[cfg(test)]
mod tests;
