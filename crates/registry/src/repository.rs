//! Repositories as a whole: deleted, and what was deleted brought back.

use berth_domain::{Action, DeletionId, Resource};
use berth_metadata::Restored;
use berth_oci::RepositoryName;

use crate::guarded::Guarded;
use crate::lookup::repository_key;
use crate::{Error, Result};
use berth_metadata::retry;

impl Guarded<'_> {
    /// Deletes a repository: everything in it is gone at once. The deletion can be taken back.
    pub async fn delete_repository(&self, repository: &RepositoryName) -> Result<DeletionId> {
        self.check(repository, Resource::Repository, Action::Delete).await?;
        retry!(self.try_delete_repository(repository).await)
    }

    async fn try_delete_repository(&self, name: &RepositoryName) -> Result<DeletionId> {
        let repository = self.registry.existing(name).await?;
        let deletion = self.deletion();
        let mut tx = self.registry.ports().metadata.begin().await?;
        if !tx.delete_repository(&repository, &deletion).await? {
            return Err(Error::NameUnknown(name.clone()));
        }
        tx.commit().await?;
        self.registry.ports().cache.invalidate(&[repository_key(name)]).await;
        Ok(deletion.id)
    }

    /// Takes a deletion in the repository back: everything that it took is live again, but what has a live successor by now.
    ///
    /// Only what the deletion took from this repository comes back. If the bytes of a blob that a manifest needs are gone, nothing
    /// does, and the blobs are named.
    pub async fn restore(&self, repository: &RepositoryName, deletion: DeletionId) -> Result<Restored> {
        self.check(repository, Resource::Repository, Action::Update).await?;
        retry!(self.try_restore(repository, deletion).await)
    }

    async fn try_restore(&self, repository: &RepositoryName, deletion: DeletionId) -> Result<Restored> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let restored = tx.restore(repository, deletion, &self.caller.actor, self.registry.now()).await?;
        if !restored.gone.is_empty() {
            return Err(Error::ManifestBlobUnknown(restored.gone));
        }
        tx.commit().await?;
        Ok(restored)
    }
}
