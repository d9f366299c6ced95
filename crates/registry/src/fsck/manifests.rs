//! With a deep check: every manifest is what its digest names, and everything that it demands is in its repository.

use berth_domain::Repository;
use berth_metadata::{ManifestPosition, StoredManifest};
use berth_oci::{Digest, Manifest};

use super::{Check, Finding};
use crate::manifest::{Present, Source};
use crate::{Error, Result};

/// How many manifests are read at once: each may have megabytes.
const BATCH: u32 = 32;

impl Check<'_> {
    pub(super) async fn manifests(&mut self) -> Result<()> {
        let mut after: Option<ManifestPosition> = None;
        loop {
            let metadata = &self.registry.ports().metadata;
            let manifests = metadata.manifests(after.as_ref(), BATCH).await?;
            let Some((repository, manifest)) = manifests.last() else { return Ok(()) };
            after = Some(ManifestPosition { repository: repository.id, digest: manifest.digest });
            for (repository, manifest) in manifests {
                self.report.manifests += 1;
                if let Some(finding) = self.manifest(&repository, &manifest).await? {
                    self.find(&finding);
                }
            }
        }
    }

    async fn manifest(&self, repository: &Repository, stored: &StoredManifest) -> Result<Option<Finding>> {
        let actual = Digest::of(stored.digest.algorithm(), &stored.content);
        if actual != stored.digest {
            let (repository, digest) = (repository.name.clone(), stored.digest);
            return Ok(Some(Finding::CorruptManifest { repository, digest, actual }));
        }
        // Bytes that an earlier release took by looser rules are what they were.
        let Ok(manifest) = Manifest::parse(&stored.content, Some(&stored.media_type)) else {
            return Ok(None);
        };
        // A deletion or a push that came meanwhile settles it.
        if self.lacks(repository, &manifest).await?.is_none() || !self.is_there(repository, stored).await? {
            return Ok(None);
        }
        Ok(self.lacks(repository, &manifest).await?.map(|lacks| {
            let (repository, digest) = (repository.name.clone(), stored.digest);
            Finding::Incomplete { repository, digest, lacks }
        }))
    }

    /// What a push of this manifest would be refused for now, in words.
    async fn lacks(&self, repository: &Repository, manifest: &Manifest) -> Result<Option<String>> {
        let metadata = self.registry.ports().metadata.as_ref();
        let present = Present::find(Source::Now(metadata), repository.id, manifest).await?;
        match present.satisfies(manifest, self.registry.settings().missing_content) {
            Ok(()) => Ok(None),
            Err(Error::ManifestBlobUnknown(missing)) => {
                let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                Ok(Some(format!("its repository lacks {}", missing.join(", "))))
            }
            Err(error @ Error::DescriptorSize { .. }) => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn is_there(&self, repository: &Repository, stored: &StoredManifest) -> Result<bool> {
        Ok(self.registry.ports().metadata.manifest(repository.id, &stored.digest).await?.is_some())
    }
}
