//! Blobs: looked at, read, taken out.

use berth_blobs::{ByteStream, Lent, Transport};
use berth_domain::{Action, DeletionId, RepositoryId, Resource};
use berth_metadata::{Blob, BlobState, Place};
use berth_oci::{ByteRange, Digest, RepositoryName};
use futures::StreamExt as _;

use crate::guarded::Guarded;
use crate::lookup::blob_key;
use crate::reader::BlobReader;
use crate::{Error, Registry, Result};
use berth_metadata::retry;

/// How many manifests a refused deletion names.
const NAMED_USERS: u32 = 10;

/// A blob that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// A part of a blob on its way out.
pub struct BlobContent {
    /// The bytes; exactly as many as the range has.
    pub stream: ByteStream,
}

impl std::fmt::Debug for BlobContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobContent").finish_non_exhaustive()
    }
}

/// In how many repositories a damaged or healed blob is forgotten at once.
const MOST_HOLDERS: u32 = 10_000;

impl Guarded<'_> {
    /// What is known of a blob. One whose bytes are not good is unknown.
    pub async fn blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<BlobInfo> {
        self.check(repository, Resource::Repository, Action::Pull).await?;
        let repository = self.registry.existing(repository).await?;
        let blob =
            self.registry.good_blob(repository.id, digest).await?.ok_or(Error::BlobUnknown(*digest))?;
        Ok(BlobInfo { digest: blob.digest, size: blob.size })
    }

    /// Opens one range of a blob that [`Guarded::blob`] found; `range` lies within its size.
    ///
    /// Bytes that turn out to be missing or damaged make the blob unknown from then on, so that the next push heals it: at
    /// once if the range cannot be opened, else the stream ends with the error. Windows of stored files are handed out only where
    /// the kernel takes the bytes as they are: to a connection that knows what it was `lent`, and tells of what could not be sent.
    pub async fn read_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        range: ByteRange,
        lent: Option<&Lent>,
    ) -> Result<BlobContent> {
        self.check(repository, Resource::Repository, Action::Pull).await?;
        let repository = self.registry.existing(repository).await?;
        let blob =
            self.registry.good_blob(repository.id, digest).await?.ok_or(Error::BlobUnknown(*digest))?;
        self.registry.read(repository.id, blob, range, lent).await
    }

    /// Takes a blob out of the repository, unless a live manifest there needs it. The deletion can be taken back. One that the repository
    /// does not have is unknown, also if a sparse image names it.
    pub async fn delete_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<DeletionId> {
        self.check(repository, Resource::Artifact, Action::Delete).await?;
        retry!(self.try_delete_blob(repository, digest).await)
    }

    async fn try_delete_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<DeletionId> {
        let repository = self.registry.existing(repository).await?;
        let deletion = self.deletion();
        let mut tx = self.registry.ports().metadata.begin().await?;
        match tx.lock_blob_users(repository.id, digest, NAMED_USERS).await? {
            None => return Err(Error::BlobUnknown(*digest)),
            Some(users) if !users.is_empty() => return Err(Error::BlobInUse(users)),
            Some(_) => {}
        }
        if !tx.unlink_blob(&repository, digest, &deletion).await? {
            return Err(Error::BlobUnknown(*digest));
        }
        tx.commit().await?;
        self.registry.ports().cache.invalidate(&[blob_key(repository.id, digest)]).await;
        Ok(deletion.id)
    }
}

impl Registry {
    /// Opens one range of a blob, which lies within its size. If the bytes cannot be had, the database is asked whether they have moved
    /// meanwhile; if they have not, the blob is marked as damaged, and is unknown from then on.
    pub(crate) async fn read(
        &self,
        repository: RepositoryId,
        blob: Blob,
        range: ByteRange,
        lent: Option<&Lent>,
    ) -> Result<BlobContent> {
        let location = match &blob.place {
            Place::Inline(content) => {
                let part = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                let part = part.filter(|&(start, end)| start <= end && end <= content.len());
                let (start, end) = part.ok_or(Error::BlobUnknown(blob.digest))?;
                let part = content.slice(start..end);
                return Ok(BlobContent { stream: futures::stream::once(async { Ok(part) }).boxed() });
            }
            Place::At(location) => location,
        };
        let transport = if lent.is_some() { Transport::Plain } else { Transport::Touched };
        let opened = match self.ports().blobs.read(location, blob.size, range, transport).await {
            Err(error) if Damage::of(&error).is_some() => {
                match self.moved(repository, &blob).await? {
                    // Another process healed it, and took what is remembered here away.
                    Some(healed) => return Box::pin(self.read(repository, healed, range, lent)).await,
                    None => Err(error),
                }
            }
            opened => opened,
        };
        match opened {
            Ok(reading) => {
                let reader = BlobReader { registry: self.clone(), repository, blob };
                Ok(BlobContent { stream: reader.watch(reading, range.start, lent) })
            }
            Err(error) => match Damage::of(&error) {
                Some(damage) => {
                    tracing::error!(digest = %blob.digest, %error, "a blob cannot be read");
                    self.note_damage(repository, &blob, damage).await;
                    Err(Error::BlobUnknown(blob.digest))
                }
                None => Err(error.into()),
            },
        }
    }

    /// The blob as the database has it, if that is elsewhere than here; what was remembered is forgotten then.
    async fn moved(&self, repository: RepositoryId, blob: &Blob) -> Result<Option<Blob>> {
        let found = self.ports().metadata.blob(repository, &blob.digest).await?;
        let moved = found.filter(|found| found.state == BlobState::Ok && found.place != blob.place);
        if moved.is_some() {
            self.forget_blob(&blob.digest, &[repository]).await;
        }
        Ok(moved)
    }

    /// Marks the blob, so that it is unknown until a push heals it.
    pub(crate) async fn note_damage(&self, repository: RepositoryId, blob: &Blob, damage: Damage) {
        // Asked for before the mark hides the blob from the list.
        let holders = self.holders(&blob.digest).await;
        match retry!(self.mark(blob, damage.0).await) {
            Ok(()) => {
                let keys: Vec<_> = holders.into_iter().chain([repository]).collect();
                self.forget_blob(&blob.digest, &keys).await;
            }
            Err(error) => {
                tracing::error!(digest = %blob.digest, %error, "a damaged blob could not be marked");
            }
        }
    }

    /// The repositories that may remember where the blob lies. Without an answer none: what they remember ends with its time.
    pub(crate) async fn holders(&self, digest: &Digest) -> Vec<RepositoryId> {
        match self.ports().metadata.blob_holders(digest, MOST_HOLDERS).await {
            Ok(holders) => holders.into_iter().map(|holder| holder.repository).collect(),
            Err(error) => {
                tracing::warn!(%digest, %error, "repositories that hold a blob could not be looked up");
                Vec::new()
            }
        }
    }

    /// Forgets what is remembered of the blob in these repositories.
    pub(crate) async fn forget_blob(&self, digest: &Digest, repositories: &[RepositoryId]) {
        let keys: Vec<_> = repositories.iter().map(|repository| blob_key(*repository, digest)).collect();
        self.ports().cache.invalidate(&keys).await;
    }

    /// Writes down what is now known of the blob's bytes.
    pub(crate) async fn mark(&self, blob: &Blob, state: BlobState) -> Result<()> {
        let mut tx = self.ports().metadata.begin().await?;
        tx.mark_blob(&blob.digest, &blob.place, state, self.now()).await?;
        Ok(tx.commit().await?)
    }
}

/// What is wrong with bytes that are kept in the blob's own row, in words; of those that lie in storage nothing is known here.
pub(crate) fn inline_damage(blob: &Blob) -> Option<String> {
    let Place::Inline(content) = &blob.place else { return None };
    let actual = Digest::of(blob.digest.algorithm(), content);
    if actual != blob.digest {
        return Some(format!("the bytes have the digest {actual}"));
    }
    let len = content.len() as u64;
    (len != blob.size).then(|| format!("the row says {} bytes instead of {len}", blob.size))
}

/// What is known of a blob's bytes to be wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage(pub(crate) BlobState);

impl Damage {
    /// `None` if the error says nothing of them.
    pub(crate) const fn of(error: &berth_blobs::Error) -> Option<Self> {
        match error {
            berth_blobs::Error::Missing(_) => Some(Self(BlobState::Missing)),
            berth_blobs::Error::Corrupt(..) => Some(Self(BlobState::Corrupt)),
            _ => None,
        }
    }
}
