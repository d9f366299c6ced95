//! Mounting: a blob that the caller may read elsewhere comes without being sent.

use berth_domain::{Action, RepositoryId, Resource};
use berth_oci::{Digest, RepositoryName};

use crate::destination::Destination;
use crate::guarded::Guarded;
use crate::lookup::blob_key;
use crate::{Error, Result, UploadTicket};
use berth_metadata::retry;

/// How many holders of a blob are tried when the client names none.
const HOLDERS: u32 = 64;

/// What became of a wish to mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mount {
    /// The blob is in the repository now.
    Mounted(Digest),
    /// It could not be mounted: upload it with this session.
    Upload(UploadTicket),
}

impl Guarded<'_> {
    /// Brings a blob in from another repository, from any that the caller may read if none is named; else starts an upload.
    ///
    /// Knowing a digest gives no right to its content: a source that the caller may not read looks like one without the blob.
    pub async fn mount_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<Mount> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let destination = self.destination(repository).await?;
        let source = match from {
            Some(name) => self.readable_source(name).await?,
            None => self.any_source(digest).await?,
        };
        let mounted = match source {
            Some(source) => self.mount_from(source, digest, repository, destination).await?,
            None => false,
        };
        if mounted {
            return Ok(Mount::Mounted(*digest));
        }
        Ok(Mount::Upload(self.new_ticket(repository, digest.algorithm(), destination)))
    }

    async fn readable_source(&self, name: &RepositoryName) -> Result<Option<RepositoryId>> {
        match self.check(name, Resource::Repository, Action::Pull).await {
            Ok(()) => Ok(self.registry.find(name).await?.map(|repository| repository.id)),
            Err(Error::Denied(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn any_source(&self, digest: &Digest) -> Result<Option<RepositoryId>> {
        for holder in self.registry.ports().metadata.blob_holders(digest, HOLDERS).await? {
            match self.check(&holder.name, Resource::Repository, Action::Pull).await {
                Ok(()) => return Ok(Some(holder.repository)),
                Err(Error::Denied(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether the source has the blob, which the target has then, too. The project is made if that is all that lacks.
    async fn mount_from(
        &self,
        source: RepositoryId,
        digest: &Digest,
        target: &RepositoryName,
        destination: Destination,
    ) -> Result<bool> {
        let mounted = retry!(self.try_mount(target, digest, source).await);
        if destination == Destination::There || !matches!(mounted, Err(Error::ProjectUnknown(_))) {
            return mounted;
        }
        self.make_project(target).await?;
        retry!(self.try_mount(target, digest, source).await)
    }

    /// Links the blob if the source still has it, good, at this moment. Whether it did.
    async fn try_mount(
        &self,
        target: &RepositoryName,
        digest: &Digest,
        source: RepositoryId,
    ) -> Result<bool> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let Some(size) = tx.lock_links(source, &[*digest]).await?.first().copied().flatten() else {
            return Ok(false);
        };
        let target = self.ensure(tx.as_mut(), target).await?;
        tx.link_blob(&target, digest, size, &self.caller.actor, self.registry.now()).await?;
        tx.commit().await?;
        self.registry.ports().cache.invalidate(&[blob_key(target.id, digest)]).await;
        Ok(true)
    }
}
