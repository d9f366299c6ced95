//! Deleting a manifest takes every tag on it along.

use berth_domain::{Action, DeletionId, Resource};
use berth_oci::{Digest, Reference, RepositoryName};

use crate::guarded::Guarded;
use crate::lookup::{any_manifest_key, manifest_key, tag_key};
use crate::{Error, Result};
use berth_metadata::retry;

impl Guarded<'_> {
    /// Takes a manifest out of the repository, with every tag on it. The deletion can be taken back.
    pub async fn delete_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<DeletionId> {
        self.check(repository, Resource::Artifact, Action::Delete).await?;
        retry!(self.try_delete_manifest(repository, digest).await)
    }

    async fn try_delete_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<DeletionId> {
        let repository = self.registry.existing(repository).await?;
        let deletion = self.deletion();
        let mut tx = self.registry.ports().metadata.begin().await?;
        let Some(tags) = tx.delete_manifest(&repository, digest, &deletion).await? else {
            return Err(Error::ManifestUnknown(Reference::Digest(*digest)));
        };
        tx.commit().await?;
        let cache = &self.registry.ports().cache;
        // This one first: see `any_manifest_key`.
        cache.invalidate(&[any_manifest_key(repository.id)]).await;
        let mut keys: Vec<_> = tags.iter().map(|tag| tag_key(repository.id, tag)).collect();
        keys.push(manifest_key(repository.id, digest));
        cache.invalidate(&keys).await;
        Ok(deletion.id)
    }
}
