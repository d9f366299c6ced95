//! Pushing a manifest: its bytes, what they point at and the tags on it become visible in one transaction.

use berth_domain::{Action, Resource};
use berth_metadata::{AddedManifest, Expected, NewManifest, TagMove};
use berth_oci::{Digest, Manifest, MediaType, Reference, RepositoryName, Tag};
use bytes::Bytes;

use super::links::{Present, Source};
use crate::apart::Turns;
use crate::destination::Destination;
use crate::guarded::Guarded;
use crate::lookup::tag_key;
use crate::{Condition, Error, MissingContent, Result, Settings};
use berth_metadata::retry;

/// A manifest on its way in.
#[derive(Clone, Debug)]
pub struct PushManifest {
    /// Where it is pushed to: a tag, or its own digest.
    pub reference: Reference,
    /// More tags that shall name it (`?tag=`).
    pub tags: Vec<Tag>,
    /// What the client says it is.
    pub media_type: Option<MediaType>,
    /// Its bytes.
    pub content: Bytes,
    /// What must hold of the tag; [`Condition::Anything`] unless the reference is a tag.
    pub condition: Condition,
}

/// A manifest that is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedManifest {
    /// Its name.
    pub digest: Digest,
    /// What it is about, if anything.
    pub subject: Option<Digest>,
    /// The tags from [`PushManifest::tags`] that name it now.
    pub tags: Vec<Tag>,
}

/// A manifest that was read and may be kept.
struct Read {
    digest: Digest,
    manifest: Manifest,
    /// Each tag once, in order, so that two pushes never wait for each other in a circle.
    tags: Vec<Tag>,
}

impl Guarded<'_> {
    /// Lets the caller pass who may push: asked before a body is read, which costs memory, and again when it is kept.
    pub async fn check_push(&self, repository: &RepositoryName) -> Result<()> {
        self.check(repository, Resource::Repository, Action::Push).await
    }

    /// Keeps a manifest and points tags at it, all in one transaction.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        push: PushManifest,
    ) -> Result<PushedManifest> {
        self.check_push(repository).await?;
        let destination = self.destination(repository).await?;
        let Settings { manifest_limit, missing_content, .. } = *self.registry.settings();
        let (push, read) = push.read(manifest_limit, &self.registry.inner.readings).await?;
        if destination == Destination::ToBeMade {
            read.fits_into_nothing(&push.condition, missing_content)?;
            self.make_project(repository).await?;
        }
        retry!(self.try_push_manifest(repository, &push, &read).await)?;
        let subject = read.manifest.subject.map(|subject| subject.digest);
        Ok(PushedManifest { digest: read.digest, subject, tags: push.tags })
    }

    async fn try_push_manifest(
        &self,
        repository: &RepositoryName,
        push: &PushManifest,
        read: &Read,
    ) -> Result<()> {
        let (by, at) = (&self.caller.actor, self.registry.now());
        let mut tx = self.registry.ports().metadata.begin().await?;
        let repository = self.ensure(tx.as_mut(), repository).await?;
        let present = Present::find(Source::Locked(tx.as_mut()), repository.id, &read.manifest).await?;
        present.satisfies(&read.manifest, self.registry.settings().missing_content)?;
        present.agrees_with_subject(&read.manifest)?;
        let new = NewManifest { digest: read.digest, content: &push.content, manifest: &read.manifest };
        let added = tx.add_manifest(&repository, &new, by, at).await?;
        for tag in &read.tags {
            let moved = tx.point_tag(&repository, tag, &read.digest, &push.condition, by, at).await?;
            if let TagMove::Refused { current } = moved {
                return Err(Error::Precondition { current });
            }
        }
        tx.commit().await?;
        if added == AddedManifest::Healed {
            // Damaged bytes are never remembered, so there is nothing to forget.
            tracing::warn!(repository = %repository.name, digest = %read.digest, "a damaged manifest is whole again");
        }
        let keys: Vec<_> = read.tags.iter().map(|tag| tag_key(repository.id, tag)).collect();
        self.registry.ports().cache.invalidate(&keys).await;
        Ok(())
    }
}

impl Read {
    /// Refuses what will be refused where nothing is yet.
    fn fits_into_nothing(&self, condition: &Condition, policy: MissingContent) -> Result<()> {
        Present::default().satisfies(&self.manifest, policy)?;
        match condition {
            Expected::Anything | Expected::Absent => Ok(()),
            Expected::Present | Expected::OneOf(_) => Err(Error::Precondition { current: None }),
        }
    }
}

impl PushManifest {
    /// Everything that can be said of the push without looking at the repository.
    async fn read(self, limit: usize, readings: &Turns) -> Result<(Self, Read)> {
        readings.apart(self.content.len(), move || self.read_here(limit).map(|read| (self, read))).await
    }

    fn read_here(&self, limit: usize) -> Result<Read> {
        if self.content.len() > limit {
            return Err(Error::ManifestTooLarge { limit });
        }
        let conditional = self.condition != Expected::Anything;
        if conditional && (!self.tags.is_empty() || matches!(self.reference, Reference::Digest(_))) {
            return Err(Error::Unsupported("a condition needs exactly one tag: push to that tag".to_owned()));
        }
        let mut tags = self.tags.clone();
        let digest = match &self.reference {
            Reference::Tag(tag) => {
                tags.push(tag.clone());
                Digest::sha256(&self.content)
            }
            Reference::Digest(expected) => {
                let actual = Digest::of(expected.algorithm(), &self.content);
                if actual != *expected {
                    return Err(Error::DigestMismatch { expected: *expected, actual: Box::new(actual) });
                }
                actual
            }
        };
        tags.sort_unstable();
        tags.dedup();
        let manifest = Manifest::parse(&self.content, self.media_type.as_ref())?;
        Ok(Read { digest, manifest, tags })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn a_large_manifest_is_read_where_it_holds_up_nobody() {
        let push = |note: usize| PushManifest {
            reference: Reference::Tag("latest".parse().unwrap()),
            tags: vec![],
            media_type: None,
            content: format!(
                r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"note":"{}"}}}}"#,
                " ".repeat(note)
            )
            .into(),
            condition: Condition::Anything,
        };
        let readings = Turns::new();
        let mut large = pin!(push(1 << 20).read(4 << 20, &readings));
        assert!(futures::poll!(&mut large).is_pending());
        assert!(large.await.is_ok());
        let small = pin!(push(1).read(4 << 20, &readings));
        assert!(futures::poll!(small).is_ready());
    }
}
