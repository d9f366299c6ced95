//! With a deep check: every manifest is what its digest names, the database keeps of it what its bytes say, and everything that it
//! demands is in its repository.

use berth_domain::Repository;
use berth_metadata::{ManifestDifference, ManifestPosition, NewManifest, StoredManifest};
use berth_oci::{Digest, Manifest};

use super::{Check, Finding};
use crate::manifest::{Present, Source};
use crate::{Error, Result};
use berth_metadata::retry;

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
                self.manifest(&repository, &manifest).await?;
            }
        }
    }

    async fn manifest(&mut self, repository: &Repository, stored: &StoredManifest) -> Result<()> {
        let actual = Digest::of(stored.digest.algorithm(), &stored.content);
        if actual != stored.digest {
            let (repository, digest) = (repository.name.clone(), stored.digest);
            self.find(&Finding::CorruptManifest { repository, digest, actual });
            return Ok(());
        }
        // Bytes that an earlier release took by looser rules are what they were.
        let Ok(manifest) = Manifest::parse(&stored.content, Some(&stored.media_type)) else { return Ok(()) };
        self.rows(repository, stored, &manifest).await?;
        self.content(repository, stored, &manifest).await
    }

    /// What the database keeps of the manifest is what its bytes say.
    async fn rows(
        &mut self,
        repository: &Repository,
        stored: &StoredManifest,
        manifest: &Manifest,
    ) -> Result<()> {
        let new = NewManifest { digest: stored.digest, content: &stored.content, manifest };
        let metadata = &self.registry.ports().metadata;
        if metadata.manifest_difference(repository.id, &new).await?.is_none() {
            return Ok(());
        }
        let repaired = self.options.repair;
        // A deletion that came meanwhile settles it.
        let difference = if repaired {
            retry!(self.derive_references(repository, &new).await)?
        } else {
            metadata.manifest_difference(repository.id, &new).await?
        };
        if let Some(difference) = difference {
            let (repository, digest) = (repository.name.clone(), stored.digest);
            let differs = in_words(&difference);
            self.find(&Finding::Misindexed { repository, digest, differs, repaired });
        }
        Ok(())
    }

    async fn derive_references(
        &self,
        repository: &Repository,
        new: &NewManifest<'_>,
    ) -> Result<Option<ManifestDifference>> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let difference = tx.derive_references(repository, new, self.registry.now()).await?;
        tx.commit().await?;
        Ok(difference)
    }

    /// Everything that the manifest demands is there.
    async fn content(
        &mut self,
        repository: &Repository,
        stored: &StoredManifest,
        manifest: &Manifest,
    ) -> Result<()> {
        // A deletion or a push that came meanwhile settles it.
        if self.lacks(repository, manifest).await?.is_none() || !self.is_there(repository, stored).await? {
            return Ok(());
        }
        if let Some(lacks) = self.lacks(repository, manifest).await? {
            let (repository, digest) = (repository.name.clone(), stored.digest);
            self.find(&Finding::Incomplete { repository, digest, lacks });
        }
        Ok(())
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

fn in_words(difference: &ManifestDifference) -> String {
    let ManifestDifference { missing, surplus, fields } = difference;
    let mut words = Vec::new();
    if *missing > 0 {
        words.push(format!("{missing} references are missing"));
    }
    if *surplus > 0 {
        words.push(format!("{surplus} references are none of its"));
    }
    if !fields.is_empty() {
        words.push(format!("it has another {}", fields.join(", ")));
    }
    words.join("; ")
}
