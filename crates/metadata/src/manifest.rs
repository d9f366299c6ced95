//! Manifests: exact bytes, and what they point at as rows.

use async_trait::async_trait;
use berth_domain::{Actor, Repository, RepositoryId, Timestamp};
use berth_oci::{Digest, Manifest, MediaType, Tag};
use bytes::Bytes;

use crate::{Deletion, Result};

/// A manifest as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// The name it was pushed by; sha256 unless the client asked for another.
    pub digest: Digest,
    /// What it is served as.
    pub media_type: MediaType,
    /// The bytes, as they came.
    pub content: Bytes,
}

/// A manifest, with its bytes if they are no more than were wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundManifest {
    /// All of it.
    Whole(StoredManifest),
    /// It has more bytes than were wanted.
    Large {
        /// Its name.
        digest: Digest,
        /// What it is served as.
        media_type: MediaType,
        /// How many bytes it has.
        size: u64,
    },
}

impl FoundManifest {
    /// The manifest, if its bytes came along.
    #[must_use]
    pub fn whole(self) -> Option<StoredManifest> {
        match self {
            Self::Whole(manifest) => Some(manifest),
            Self::Large { .. } => None,
        }
    }
}

/// Where a list of all manifests goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestPosition {
    /// The repository of the last one that was seen.
    pub repository: RepositoryId,
    /// Its name.
    pub digest: Digest,
}

/// A manifest that is to be kept.
#[derive(Clone, Debug)]
pub struct NewManifest<'a> {
    /// The name it is pushed by.
    pub digest: Digest,
    /// The bytes, as they came.
    pub content: &'a Bytes,
    /// What the bytes say.
    pub manifest: &'a Manifest,
}

/// What became of [`ManifestWrites::add_manifest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedManifest {
    /// It is new.
    Added,
    /// It was there, with these bytes, and nothing was written.
    Kept,
    /// It was there with other bytes, which were damaged, because the digest names these; they took their place.
    Healed,
}

/// Looking at manifests.
#[async_trait]
pub trait ManifestReads {
    /// The live manifest of that digest; its bytes leave the database only if they are at most `most`.
    async fn manifest_up_to(
        &self,
        repository: RepositoryId,
        digest: &Digest,
        most: u64,
    ) -> Result<Option<FoundManifest>>;

    /// The live manifest that a live tag names, in one look-up; its bytes leave the database only if they are at most `most`.
    async fn manifest_by_tag(
        &self,
        repository: RepositoryId,
        tag: &Tag,
        most: u64,
    ) -> Result<Option<FoundManifest>>;

    /// The live manifest of that digest, however large it is.
    async fn manifest(&self, repository: RepositoryId, digest: &Digest) -> Result<Option<StoredManifest>> {
        Ok(self.manifest_up_to(repository, digest, u64::MAX).await?.and_then(FoundManifest::whole))
    }

    /// For each digest, in the given order: the size of the live manifest of that digest. What
    /// [`ManifestWrites::lock_manifests`] tells, as of now.
    async fn manifest_sizes(&self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>>;

    /// All live manifests with their repositories, by the repository's id and the digest's bytes, after `after`.
    async fn manifests(
        &self,
        after: Option<&ManifestPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, StoredManifest)>>;
}

/// Changing manifests.
#[async_trait]
pub trait ManifestWrites {
    /// For each digest, in the given order: the size of the live manifest of that digest, locked against deletion.
    async fn lock_manifests(
        &mut self,
        repository: RepositoryId,
        digests: &[Digest],
    ) -> Result<Vec<Option<u64>>>;

    /// Keeps a manifest with everything it points at; there already is fine. The digest was computed from the bytes.
    async fn add_manifest(
        &mut self,
        repository: &Repository,
        manifest: &NewManifest<'_>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<AddedManifest>;

    /// Takes the manifest out of the repository, and every tag on it. The tags, or `None` if it was not there.
    async fn delete_manifest(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        deletion: &Deletion,
    ) -> Result<Option<Vec<Tag>>>;
}
