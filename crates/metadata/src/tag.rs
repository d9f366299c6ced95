//! Tags: movable names, with their history.

use async_trait::async_trait;
use berth_domain::{Actor, Repository, RepositoryId, Timestamp};
use berth_oci::{Digest, Tag};

use crate::{Deletion, Result};

/// What must be true of a tag for a change to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Anything,
    /// The tag does not exist (`If-None-Match: *`).
    Absent,
    /// The tag exists (`If-Match: *`).
    Present,
    /// The tag names one of these (`If-Match` with entity tags).
    OneOf(Vec<Digest>),
}

/// What became of [`TagWrites::point_tag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMove {
    /// There was no such tag.
    Created,
    /// It named another manifest.
    Moved {
        /// The one before.
        from: Digest,
    },
    /// It named this manifest already: nothing happened, whatever was expected, because a lost answer was repeated.
    Unchanged,
    /// What was expected is not so; nothing happened.
    Refused {
        /// What the tag names, if it exists.
        current: Option<Digest>,
    },
}

/// What became of [`TagWrites::delete_tag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagDelete {
    /// It is gone.
    Deleted {
        /// What it named.
        from: Digest,
    },
    /// There was no such tag, and none was expected.
    Absent,
    /// What was expected is not so; nothing happened.
    Refused {
        /// What the tag names, if it exists.
        current: Option<Digest>,
    },
}

/// One line of a tag's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagChange {
    /// The tag.
    pub tag: Tag,
    /// What it named before; `None` if it was new.
    pub from: Option<Digest>,
    /// What it named after; `None` if it was deleted.
    pub to: Option<Digest>,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Actor,
}

/// What a tag names, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTarget {
    /// The tag.
    pub tag: Tag,
    /// What it names.
    pub digest: Digest,
    /// Whether its repository has a live manifest of that digest.
    pub there: bool,
}

/// Where a list of all tags goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPosition {
    /// The repository of the last one that was seen.
    pub repository: RepositoryId,
    /// Its name.
    pub tag: Tag,
}

/// Looking at tags.
#[async_trait]
pub trait TagReads {
    /// What the live tag names.
    async fn tag(&self, repository: RepositoryId, tag: &Tag) -> Result<Option<Digest>>;

    /// Live tags in byte order, after `after` (which need not be a tag).
    async fn tags(&self, repository: RepositoryId, after: Option<&str>, limit: u32) -> Result<Vec<Tag>>;

    /// What all live tags name, with their repositories, by the repository's id and the tag's name, after `after`.
    async fn tag_targets(
        &self,
        after: Option<&TagPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, TagTarget)>>;

    /// The history of one tag, latest first.
    async fn tag_history(&self, repository: RepositoryId, tag: &Tag, limit: u32) -> Result<Vec<TagChange>>;
}

/// Changing tags. Of each tag's history as many lines stay as the database was opened for: what is more goes in the transaction that
/// writes another line.
#[async_trait]
pub trait TagWrites {
    /// Lets the tag name a live manifest, if what is expected holds. Every real move becomes a line of history.
    async fn point_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
        expected: &Expected,
        by: &Actor,
        at: Timestamp,
    ) -> Result<TagMove>;

    /// Removes the tag, if what is expected holds; the manifest stays.
    async fn delete_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        expected: &Expected,
        deletion: &Deletion,
    ) -> Result<TagDelete>;

    /// Forgets lines of history from before `before`, at most `limit` a call. How many went.
    async fn prune_tag_history(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
}
