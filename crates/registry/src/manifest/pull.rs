//! Pulling a manifest by tag or digest: three looks into memory once it is warm.

use berth_domain::{Action, Resource};
use berth_oci::{Digest, Reference, RepositoryName};
use bytes::Bytes;

use crate::guarded::Guarded;
use crate::{Error, Result};

/// A manifest on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledManifest {
    /// Its name.
    pub digest: Digest,
    /// What it is served as; the text of a valid media type.
    pub media_type: Bytes,
    /// Its bytes, as they were pushed.
    pub content: Bytes,
}

impl Guarded<'_> {
    /// The manifest that a reference names. It counts as a pull if `is_sent` says that its bytes are the answer.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
        is_sent: impl FnOnce(&PulledManifest) -> bool + Send,
    ) -> Result<PulledManifest> {
        self.check(repository, Resource::Repository, Action::Pull).await?;
        let repository = self.registry.existing(repository).await?;
        let large = &self.registry.inner.large_manifests;
        let manifest = loop {
            let found = match reference {
                Reference::Tag(tag) => self.registry.manifest_by_tag(repository.id, tag).await?,
                Reference::Digest(digest) => self.registry.manifest_by_digest(repository.id, digest).await?,
            };
            let found = found.ok_or_else(|| Error::ManifestUnknown(reference.clone()))?;
            if let Some(manifest) = large.lend(&found, None) {
                break manifest;
            }
            let (digest, size) = (found.digest, found.content.len());
            drop(found);
            let room = large.room(size).await?;
            // Who has room waits for no answer that might wait for it.
            if let Some(found) = self.registry.remembered_manifest(repository.id, &digest).await
                && let Some(manifest) = large.lend(&found, Some(room))
            {
                break manifest;
            }
        };
        if is_sent(&manifest) {
            self.registry.count_pull(repository.id, manifest.digest);
        }
        Ok(manifest)
    }
}
