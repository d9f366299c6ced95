//! Why a use case did not happen; the words are for the client, the sources for the log.

use berth_access::Denied;
use berth_metadata::attempts::MayConflict;
use berth_oci::manifest::ManifestError;
use berth_oci::{Digest, ProjectName, Reference, RepositoryName};

use crate::BodyError;
use crate::large_manifests::Crowded;

/// Everything that can go wrong. Doors turn each variant into their protocol's answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such repository (or none that the caller may know of).
    #[error("repository {0} does not exist: check its name, or push to it first")]
    NameUnknown(RepositoryName),
    /// There is no such project, and this push may not make it.
    #[error(
        "project {0} does not exist: make it first with POST /api/v2.0/projects as somebody who may, then push again"
    )]
    ProjectUnknown(ProjectName),
    /// The repository has no such blob.
    #[error("blob {0} is not in this repository: push it first")]
    BlobUnknown(Digest),
    /// The repository has no such manifest.
    #[error("manifest {0} is not in this repository: check the tag or digest, or push it first")]
    ManifestUnknown(Reference),
    /// A live manifest needs the blob.
    #[error("blob is needed by manifest {}: delete that first", .0.first().map(ToString::to_string).unwrap_or_default())]
    BlobInUse(Vec<Digest>),
    /// There is no such session, it expired, belongs to another repository or account, or its state was forged.
    #[error("the upload is unknown or has expired: start a new one with POST")]
    UploadUnknown,
    /// The chunk does not continue the upload.
    #[error("the chunk does not start where the upload ends: continue at byte {offset}")]
    OutOfOrder {
        /// How many bytes the session has.
        offset: u64,
    },
    /// Another client is writing to the session.
    #[error("another client is writing to this upload: ask for its status and continue when it has stopped")]
    UploadBusy {
        /// How many bytes the session has, durably.
        offset: u64,
    },
    /// The bytes are not what the digest names.
    #[error("the content has the digest {actual}, not {expected}: send it again")]
    DigestMismatch {
        /// What the client said.
        expected: Digest,
        /// What the bytes are; boxed, because two digests would make every error large.
        actual: Box<Digest>,
    },
    /// The body is shorter or longer than the client said.
    #[error(
        "the body has {actual} bytes where {expected} were announced: send exactly as many as you announce"
    )]
    SizeMismatch {
        /// What the client said.
        expected: u64,
        /// What came.
        actual: u64,
    },
    /// The body ended before its end.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The bytes are no manifest that is taken here.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestError),
    /// The manifest is longer than the limit.
    #[error("the manifest is longer than {limit} bytes: raise registry.manifest_limit or push less")]
    ManifestTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The manifest names content that the repository does not have.
    #[error("the manifest names content that is not in this repository: push it first")]
    ManifestBlobUnknown(Vec<Digest>),
    /// A descriptor's size is not its content's size.
    #[error("the manifest says that {digest} has {said} bytes, but it has {size}: write that as its size")]
    DescriptorSize {
        /// The content.
        digest: Digest,
        /// What the manifest says.
        said: u64,
        /// What it is.
        size: u64,
    },
    /// What the client expected of the tag is not so.
    #[error("the tag {}: look at it again and say what you expect of it then", current.map_or_else(|| "does not exist".to_owned(), |digest| format!("names {digest}")))]
    Precondition {
        /// What the tag names, if it exists.
        current: Option<Digest>,
    },
    /// The request asks for something that is never done.
    #[error("{0}")]
    Unsupported(String),
    /// Too much is on its way out.
    #[error(
        "too many large answers are on their way, and their clients take them slowly: try again in a few seconds"
    )]
    Crowded,
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] berth_blobs::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] berth_metadata::Error),
}

impl From<Crowded> for Error {
    fn from(_: Crowded) -> Self {
        Self::Crowded
    }
}

impl MayConflict for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_conflict())
    }
}
