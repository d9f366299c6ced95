//! Blobs: one row a digest says where the bytes lie; one link a repository says that they belong there.

use async_trait::async_trait;
use berth_domain::{Actor, Location, Repository, RepositoryId, Timestamp};
use berth_oci::{Digest, RepositoryName};
use bytes::Bytes;

use crate::{Deletion, Result};

/// Content that is known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Where its bytes are.
    pub place: Place,
    /// Whether they are believed to be good.
    pub state: BlobState,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the row itself, because they are few.
    Inline(Bytes),
    /// In storage.
    At(Location),
}

/// What is known of a blob's bytes. What is not `Ok` is not there for clients, and the next push heals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlobState {
    /// They were durable when the row was written, and nothing has shown otherwise.
    Ok,
    /// Storage does not have them.
    Missing,
    /// They are not what the digest names, or cannot be read.
    Corrupt,
}

/// What became of [`BlobWrites::add_blob`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddedBlob {
    /// The row was written with the given place.
    Added,
    /// A good row was there: its place stays and the given one is not needed.
    Kept,
    /// A row that was not `Ok`, or had in itself other bytes than the given ones, now has the given place; what the old place
    /// held is of no use any more.
    Healed {
        /// Where the bad bytes may still lie.
        old: Place,
    },
}

/// A repository that holds some blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobHolder {
    /// Its number.
    pub repository: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
}

/// A blob whose bytes are in storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Where its bytes are.
    pub location: Location,
    /// Whether they are believed to be good.
    pub state: BlobState,
}

/// A blob that belongs to a repository, and whether it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkTarget {
    /// The blob.
    pub digest: Digest,
    /// Whether there is a row that says where its bytes are.
    pub there: bool,
}

/// Where a list of all links goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkPosition {
    /// The blob of the last one that was seen.
    pub digest: Digest,
    /// Its repository.
    pub repository: RepositoryId,
}

/// Looking at blobs.
#[async_trait]
pub trait BlobReads {
    /// The blob, if a live link brings it into the repository; whatever its state.
    async fn blob(&self, repository: RepositoryId, digest: &Digest) -> Result<Option<Blob>>;

    /// The blob of that digest in whatever repository, linked or not; whatever its state.
    async fn known_blob(&self, digest: &Digest) -> Result<Option<Blob>>;

    /// For each digest, in the given order: the size of the blob if a live link brings it into the repository and its state is
    /// `Ok`. What [`BlobWrites::lock_links`] tells, as of now.
    async fn linked_sizes(&self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>>;

    /// Which of these blobs the repository has, whatever their state, or lost after its live manifest of the digest `since` came: in no
    /// order.
    async fn had_since(
        &self,
        repository: RepositoryId,
        since: &Digest,
        digests: &[Digest],
    ) -> Result<Vec<Digest>>;

    /// Live repositories with a live link to a blob in state `Ok`, by number, at most `limit`.
    async fn blob_holders(&self, digest: &Digest, limit: u32) -> Result<Vec<BlobHolder>>;

    /// All blobs by the bytes of their digests, after `after`, linked or not; inline content is given too, so a page should be short.
    async fn blobs(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<Blob>>;

    /// Those of them whose bytes are in storage, in the same order.
    async fn stored_blobs(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<StoredBlob>>;

    /// What all live links bring into which live repositories, by the bytes of the digest and the repository's id, after `after`.
    async fn link_targets(
        &self,
        after: Option<&LinkPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, LinkTarget)>>;
}

/// Changing blobs.
#[async_trait]
pub trait BlobWrites {
    /// Makes content known whose bytes are durable at `blob.place`; `blob.state` is `Ok`, and the digest was computed from the
    /// bytes.
    async fn add_blob(&mut self, blob: &Blob, at: Timestamp) -> Result<AddedBlob>;

    /// The same, and brings it into the repository as [`Self::link_blob`] does: asked together because whoever pushes wants both.
    async fn add_linked_blob(
        &mut self,
        repository: &Repository,
        blob: &Blob,
        by: &Actor,
        at: Timestamp,
    ) -> Result<AddedBlob>;

    /// The blob of that digest in whatever repository, locked against deletion.
    async fn lock_blob(&mut self, digest: &Digest) -> Result<Option<Blob>>;

    /// Brings a known blob into the repository; linked already is fine.
    async fn link_blob(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()>;

    /// For each digest, in the given order: the size of the blob if a live link brings it into the repository and its state is
    /// `Ok`. The links are locked against deletion.
    async fn lock_links(&mut self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>>;

    /// Live manifests of the repository that need the blob, at most `limit`; the blob's link is locked first, so that none can
    /// be added meanwhile. `None` if the repository does not have the blob, whatever names it.
    async fn lock_blob_users(
        &mut self,
        repository: RepositoryId,
        digest: &Digest,
        limit: u32,
    ) -> Result<Option<Vec<Digest>>>;

    /// Takes the blob out of the repository. Whether it was there.
    async fn unlink_blob(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        deletion: &Deletion,
    ) -> Result<bool>;

    /// Notes what is now known of the blob's bytes, unless they lie elsewhere than at `place` by now.
    async fn mark_blob(
        &mut self,
        digest: &Digest,
        place: &Place,
        state: BlobState,
        at: Timestamp,
    ) -> Result<()>;
}
