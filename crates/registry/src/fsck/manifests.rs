//! With a deep check: every manifest is what its digest names, the database keeps of it what its bytes say, and what it names is in its
//! repository.
//!
//! What is not there is a loss only if it was there: nobody can take a blob away from a manifest that needs it. Else the manifest may
//! have been taken without it, by a setting that is another one now, or before it; and manifests can be deleted from under an index.

use berth_domain::Repository;
use berth_metadata::{ManifestDifference, ManifestPosition, NewManifest, StoredManifest};
use berth_oci::{Digest, Manifest};

use super::{Check, Finding};
use crate::manifest::{Present, Source, demanded, may_be_blob};
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

    /// Everything that the manifest names is there.
    async fn content(
        &mut self,
        repository: &Repository,
        stored: &StoredManifest,
        manifest: &Manifest,
    ) -> Result<()> {
        // A deletion or a push that came meanwhile settles it.
        let first = self.lacks(repository, stored, manifest).await?;
        if first.is_nothing() || !self.is_there(repository, stored).await? {
            return Ok(());
        }
        let Lacks { lost, never_had, contradiction } = self.lacks(repository, stored, manifest).await?;
        let (name, digest) = (&repository.name, stored.digest);
        if !lost.is_empty() {
            let lacks = lacking(&lost);
            self.find(&Finding::Incomplete { repository: name.clone(), digest, lacks });
        }
        let never_had = (!never_had.is_empty()).then(|| lacking(&never_had));
        for lacks in never_had.into_iter().chain(contradiction) {
            self.find(&Finding::Sparse { repository: name.clone(), digest, lacks });
        }
        Ok(())
    }

    async fn lacks(
        &self,
        repository: &Repository,
        stored: &StoredManifest,
        manifest: &Manifest,
    ) -> Result<Lacks> {
        let metadata = self.registry.ports().metadata.as_ref();
        let present = Present::find(Source::Now(metadata), repository.id, manifest).await?;
        let blobs = present.missing(manifest, may_be_blob);
        let mut lost = Vec::new();
        if !blobs.is_empty() {
            lost = metadata.had_since(repository.id, &stored.digest, &blobs).await?;
            lost.sort_unstable();
        }
        let policy = self.registry.settings().missing_content;
        let mut never_had = present.missing(manifest, |role| demanded(role, policy));
        never_had.retain(|digest| !lost.contains(digest));
        let contradiction = present.contradiction(manifest).map(|error| match error {
            Error::DescriptorSize { digest, said, size } => {
                format!("it says that {digest} has {said} bytes, but it has {size}")
            }
            error => error.to_string(),
        });
        Ok(Lacks { lost, never_had, contradiction })
    }

    async fn is_there(&self, repository: &Repository, stored: &StoredManifest) -> Result<bool> {
        Ok(self.registry.ports().metadata.manifest(repository.id, &stored.digest).await?.is_some())
    }
}

/// What a manifest names that is not as it says.
#[derive(Debug)]
struct Lacks {
    /// Blobs that were there when the manifest was, or are there and not good.
    lost: Vec<Digest>,
    /// What else a push of this manifest would be refused for now.
    never_had: Vec<Digest>,
    /// What has another size: content of that digest came after the manifest.
    contradiction: Option<String>,
}

impl Lacks {
    fn is_nothing(&self) -> bool {
        self.lost.is_empty() && self.never_had.is_empty() && self.contradiction.is_none()
    }
}

fn lacking(digests: &[Digest]) -> String {
    let digests: Vec<String> = digests.iter().map(ToString::to_string).collect();
    format!("its repository lacks {}", digests.join(", "))
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
