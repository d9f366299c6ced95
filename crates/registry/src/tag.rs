//! Tags: listed and removed. They are pointed by pushes of manifests.

use berth_domain::{Action, DeletionId, Resource};
use berth_metadata::{TagChange, TagDelete};
use berth_oci::tag::LONGEST_TAG;
use berth_oci::{Reference, RepositoryName, Tag};

use crate::guarded::Guarded;
use crate::lists::QUOTED;
use crate::lookup::tag_key;
use crate::{Condition, Error, Page, Result};
use berth_metadata::retry;

impl Guarded<'_> {
    /// Tags in byte order, after `after`.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Tag>> {
        self.check(repository, Resource::Repository, Action::Pull).await?;
        let repository = self.registry.existing(repository).await?;
        let metadata = &self.registry.ports().metadata;
        let read = |limit| metadata.tags(repository.id, after, limit);
        self.registry.inner.lists.page(limit, LONGEST_TAG + QUOTED, read).await
    }

    /// What a tag named, latest change first; also of a tag that is gone.
    pub async fn tag_history(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        limit: u32,
    ) -> Result<Vec<TagChange>> {
        self.check(repository, Resource::Tag, Action::List).await?;
        let repository = self.registry.existing(repository).await?;
        Ok(self.registry.ports().metadata.tag_history(repository.id, tag, limit).await?)
    }

    /// Removes a tag; the manifest stays. The deletion can be taken back.
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        condition: Condition,
    ) -> Result<DeletionId> {
        self.check(repository, Resource::Tag, Action::Delete).await?;
        retry!(self.try_delete_tag(repository, tag, &condition).await)
    }

    async fn try_delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        condition: &Condition,
    ) -> Result<DeletionId> {
        let repository = self.registry.existing(repository).await?;
        let deletion = self.deletion();
        let mut tx = self.registry.ports().metadata.begin().await?;
        match tx.delete_tag(&repository, tag, condition, &deletion).await? {
            TagDelete::Deleted { .. } => tx.commit().await?,
            TagDelete::Absent => return Err(Error::ManifestUnknown(Reference::Tag(tag.clone()))),
            TagDelete::Refused { current } => return Err(Error::Precondition { current }),
        }
        self.registry.ports().cache.invalidate(&[tag_key(repository.id, tag)]).await;
        Ok(deletion.id)
    }
}
