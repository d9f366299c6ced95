//! Tags and their history.

use async_trait::async_trait;
use berth_domain::{Actor, Repository, RepositoryId, Timestamp};
use berth_metadata::{
    Deletion, Error, Expected, Result, TagChange, TagDelete, TagMove, TagPosition, TagReads, TagTarget,
    TagWrites,
};
use berth_oci::{Digest, Tag};

use crate::SqlMetadata;
use crate::pending::Sum;
use crate::repository::repository as found;
use crate::transaction::SqlTransaction;
use crate::value::{actor, digest, optional_digest, parse, time};

/// How often a change is tried again whose tag appeared or went between two statements.
const ATTEMPTS: usize = 3;

/// What all tags name. Counted rather than asked for, so that no plan reads all manifests to answer for a page of tags.
macro_rules! tag_targets {
    ($database:ident) => {
        concat!(
            "SELECT r.id, r.project_id, r.name, r.created_at, t.name, t.digest,
                    (SELECT COUNT(*) FROM manifests m
                     WHERE m.repository_id = t.repository_id AND m.digest = t.digest AND m.deleted_at IS NULL)
             FROM tags t",
            in_repository!($database: "t"),
            "WHERE t.deleted_at IS NULL AND (t.repository_id, t.name) > ($1, $2)
             ORDER BY t.repository_id, t.name LIMIT $3"
        )
    };
}

/// The last line of the history of the tag `$tag` in the repository `$1`; 0 if there is none.
macro_rules! last_line {
    ($tag:literal) => {
        concat!(
            "(SELECT COALESCE(MAX(h.line), 0) FROM tag_history h WHERE h.repository_id = $1 AND h.tag = ",
            $tag,
            ")"
        )
    };
}

statements! {
    TAG = sql!(
        "SELECT digest FROM tags WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)"
    );
    TAGS = sql!(
        "SELECT name FROM tags WHERE repository_id = $1 AND name > $2 AND deleted_at IS NULL
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)
         ORDER BY name LIMIT $3"
    );
    TAG_TARGETS = sql!(pg: tag_targets!(pg), lite: tag_targets!(lite));
    TAG_HISTORY = sql!(
        "SELECT from_digest, to_digest, changed_at, by_kind, by_id, by_name FROM tag_history
         WHERE repository_id = $1 AND tag = $2
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)
         ORDER BY line DESC LIMIT $3"
    );
    LOCK_TAG = sql!(
        pg: "SELECT id, digest FROM tags WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL FOR UPDATE",
        lite: "SELECT id, digest FROM tags WHERE repository_id = $1 AND name = $2 AND deleted_at IS NULL",
    );
    /// Gives no row if there is a live tag of that name. If the deletion of one was waited for, its line is not seen yet: what is cut
    /// too little goes with the next line.
    ADD_TAG = sql!(concat!(
        "INSERT INTO tags (repository_id, name, digest, pushed_at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (repository_id, name) WHERE deleted_at IS NULL DO NOTHING RETURNING ",
        last_line!("$2")
    ));
    MOVE_TAG = sql!(concat!(
        "UPDATE tags SET digest = $3, pushed_at = $4, by_kind = $5, by_id = $6, by_name = $7
         WHERE repository_id = $1 AND id = $2 RETURNING ",
        last_line!("$8")
    ));
    DELETE_TAG = sql!(concat!(
        "UPDATE tags SET deleted_at = $3, deletion_id = $4 WHERE repository_id = $1 AND id = $2 RETURNING ",
        last_line!("$5")
    ));
    LOCK_TAGS_ON = sql!(
        pg: "SELECT name FROM tags WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL
             ORDER BY name FOR UPDATE",
        lite: "SELECT name FROM tags WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL",
    );
    DELETE_TAGS_ON = sql!(
        "UPDATE tags SET deleted_at = $3, deletion_id = $4
         WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL"
    );
    /// One line; the tag's row is locked, or new and unseen by others.
    ADD_HISTORY -> () = sql!(concat!(
        "INSERT INTO tag_history (repository_id, tag, line, from_digest, to_digest, changed_at,
                                  by_kind, by_id, by_name)
         VALUES ($1, $2, ",
        last_line!("$2"),
        " + 1, $3, $4, $5, $6, $7, $8)"
    ));
    /// A line for the deletion of each tag on a manifest.
    ADD_HISTORY_OF_TAGS_ON = sql!(
        "INSERT INTO tag_history (repository_id, tag, line, from_digest, to_digest, changed_at,
                                  by_kind, by_id, by_name)
         SELECT t.repository_id, t.name,
                (SELECT COALESCE(MAX(h.line), 0) + 1 FROM tag_history h
                 WHERE h.repository_id = t.repository_id AND h.tag = t.name),
                t.digest, NULL, CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS TEXT)
         FROM tags t WHERE t.repository_id = $1 AND t.digest = $2 AND t.deleted_at IS NULL
         RETURNING tag, line"
    );
    /// Leaves the latest `$3` lines of one tag.
    CUT_HISTORY -> () = sql!(concat!(
        "DELETE FROM tag_history WHERE repository_id = $1 AND tag = $2 AND line <= ",
        last_line!("$2"),
        " - CAST($3 AS BIGINT)"
    ));
    PRUNE_OLD = sql!(
        "DELETE FROM tag_history WHERE (repository_id, tag, line) IN (
             SELECT h.repository_id, h.tag, h.line FROM tag_history h
             WHERE h.changed_at < $1 ORDER BY h.changed_at LIMIT $2)"
    );
}

/// A repository's row, its tag, what that names, and of how many manifests that is the digest.
type TargetRow = (i64, i64, String, i64, String, Vec<u8>, i64);
type HistoryRow = (Option<Vec<u8>>, Option<Vec<u8>>, i64, String, i64, String);

fn change(tag: &Tag, (from, to, at, kind, id, name): HistoryRow) -> Result<TagChange> {
    Ok(TagChange {
        tag: tag.clone(),
        from: optional_digest(from.as_deref())?,
        to: optional_digest(to.as_deref())?,
        at: time(at),
        by: actor(&kind, id, name)?,
    })
}

/// Whether what is expected of an existing tag holds.
fn holds(expected: &Expected, current: &Digest) -> bool {
    match expected {
        Expected::Anything | Expected::Present => true,
        Expected::Absent => false,
        Expected::OneOf(digests) => digests.contains(current),
    }
}

#[async_trait]
impl TagReads for SqlMetadata {
    async fn tag(&self, repository: RepositoryId, tag: &Tag) -> Result<Option<Digest>> {
        let row: Option<(Vec<u8>,)> = optional!(self, TAG, repository.0, tag.as_str());
        row.map(|(name,)| digest(&name)).transpose()
    }

    async fn tags(&self, repository: RepositoryId, after: Option<&str>, limit: u32) -> Result<Vec<Tag>> {
        let after = after.unwrap_or_default();
        let rows: Vec<(String,)> = all!(self, TAGS, repository.0, after, i64::from(limit));
        rows.iter().map(|(name,)| parse("the tag", name)).collect()
    }

    async fn tag_targets(
        &self,
        after: Option<&TagPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, TagTarget)>> {
        let (repository, tag) = after.map_or((0, ""), |after| (after.repository.0, after.tag.as_str()));
        let rows: Vec<TargetRow> = all!(self, TAG_TARGETS, repository, tag, i64::from(limit));
        let targets = rows.into_iter().map(|(id, project, name, created_at, tag, target, manifests)| {
            let tag = parse("the tag", &tag)?;
            let target = TagTarget { tag, digest: digest(&target)?, there: manifests > 0 };
            Ok((found((id, project, name, created_at))?, target))
        });
        targets.collect()
    }

    async fn tag_history(&self, repository: RepositoryId, tag: &Tag, limit: u32) -> Result<Vec<TagChange>> {
        let rows: Vec<HistoryRow> = all!(self, TAG_HISTORY, repository.0, tag.as_str(), i64::from(limit));
        rows.into_iter().map(|row| change(tag, row)).collect()
    }
}

#[async_trait]
impl TagWrites for SqlTransaction {
    async fn point_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
        expected: &Expected,
        by: &Actor,
        at: Timestamp,
    ) -> Result<TagMove> {
        self.hold_to_add(repository.id).await?;
        for _ in 0..ATTEMPTS {
            // A new tag is what most pushes make, so it is tried first; the index decides between two who make one.
            if matches!(expected, Expected::Anything | Expected::Absent)
                && self.add_tag(repository, tag, digest, by, at).await?
            {
                return Ok(TagMove::Created);
            }
            match self.lock_tag(repository.id, tag).await? {
                Some((_, from)) if from == *digest => return Ok(TagMove::Unchanged),
                Some((_, from)) if !holds(expected, &from) => {
                    return Ok(TagMove::Refused { current: Some(from) });
                }
                Some((id, from)) => {
                    let last = self.move_tag(repository, tag, id, digest, by, at).await?;
                    self.remember(repository.id, tag, Some(&from), Some(digest), by, at).await?;
                    self.cut_history(repository.id, tag.as_str(), last + 1).await?;
                    self.pending.review_manifest(repository.id, &from, at);
                    return Ok(TagMove::Moved { from });
                }
                None if matches!(expected, Expected::Present | Expected::OneOf(_)) => {
                    return Ok(TagMove::Refused { current: None });
                }
                // Deleted between the two statements: try to make it again.
                None => {}
            }
        }
        Err(Error::Conflict)
    }

    async fn delete_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        expected: &Expected,
        deletion: &Deletion,
    ) -> Result<TagDelete> {
        let lives = self.hold(repository.id).await?;
        let there = if lives { self.lock_tag(repository.id, tag).await? } else { None };
        let Some((id, from)) = there else {
            return Ok(match expected {
                Expected::Anything | Expected::Absent => TagDelete::Absent,
                Expected::Present | Expected::OneOf(_) => TagDelete::Refused { current: None },
            });
        };
        if !holds(expected, &from) {
            return Ok(TagDelete::Refused { current: Some(from) });
        }
        let (at, act) = (deletion.at.as_micros(), deletion.id.0.as_bytes().as_slice());
        let (last,): (i64,) = one!(self, DELETE_TAG, repository.id.0, id, at, act, tag.as_str());
        self.note_deletion(deletion).await?;
        self.remember(repository.id, tag, Some(&from), None, &deletion.by, deletion.at).await?;
        self.cut_history(repository.id, tag.as_str(), last + 1).await?;
        self.pending.review_manifest(repository.id, &from, deletion.at);
        self.pending.count(Sum::RepositoryTags, repository.id.0, -1);
        Ok(TagDelete::Deleted { from })
    }

    async fn prune_tag_history(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(execute!(self, PRUNE_OLD, before.as_micros(), i64::from(limit)))
    }
}

impl SqlTransaction {
    /// Makes the tag. Whether there was none.
    async fn add_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
        by: &Actor,
        at: Timestamp,
    ) -> Result<bool> {
        let (kind, micros) = (by.kind.as_str(), at.as_micros());
        let (id, name) = (repository.id.0, digest.to_bytes());
        let row: Option<(i64,)> =
            optional!(self, ADD_TAG, id, tag.as_str(), name, micros, kind, by.id, &by.name);
        let Some((last,)) = row else { return Ok(false) };
        self.remember(repository.id, tag, None, Some(digest), by, at).await?;
        self.cut_history(repository.id, tag.as_str(), last + 1).await?;
        self.pending.review_manifest(repository.id, digest, at);
        self.pending.count(Sum::RepositoryTags, repository.id.0, 1);
        Ok(true)
    }

    /// Moves the tag, whose row has that number. The last line of its history.
    async fn move_tag(
        &mut self,
        repository: &Repository,
        tag: &Tag,
        id: i64,
        digest: &Digest,
        by: &Actor,
        at: Timestamp,
    ) -> Result<i64> {
        let (kind, micros, name) = (by.kind.as_str(), at.as_micros(), digest.to_bytes());
        let (repository, tag) = (repository.id, tag.as_str());
        let (last,): (i64,) =
            one!(self, MOVE_TAG, repository.0, id, name, micros, kind, by.id, &by.name, tag);
        self.pending.review_manifest(repository, digest, at);
        Ok(last)
    }

    async fn lock_tag(&mut self, repository: RepositoryId, tag: &Tag) -> Result<Option<(i64, Digest)>> {
        let row: Option<(i64, Vec<u8>)> = optional!(self, LOCK_TAG, repository.0, tag.as_str());
        row.map(|(id, name)| Ok((id, digest(&name)?))).transpose()
    }

    /// Writes a line of history.
    async fn remember(
        &mut self,
        repository: RepositoryId,
        tag: &Tag,
        from: Option<&Digest>,
        to: Option<&Digest>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        later!(
            self,
            ADD_HISTORY,
            repository.0,
            tag.as_str(),
            from.map(Digest::to_bytes),
            to.map(Digest::to_bytes),
            at.as_micros(),
            by.kind.as_str(),
            by.id,
            &by.name
        );
        Ok(())
    }

    /// Forgets of the tag's history, which has just come to the line `last`, what is more than is kept. Asks the database only if
    /// there may be such.
    pub(crate) async fn cut_history(&mut self, repository: RepositoryId, tag: &str, last: i64) -> Result<()> {
        if let Some(kept) = self.history_lines.map(i64::from).filter(|kept| last > *kept) {
            later!(self, CUT_HISTORY, repository.0, tag, kept);
        }
        Ok(())
    }

    /// Deletes every tag on a manifest that was just deleted; its row is locked, so that no other tag can come.
    pub(crate) async fn delete_tags_on(
        &mut self,
        repository: &Repository,
        manifest: &Digest,
        deletion: &Deletion,
    ) -> Result<Vec<Tag>> {
        let (id, name, at) = (repository.id.0, manifest.to_bytes(), deletion.at.as_micros());
        let rows: Vec<(String,)> = all!(self, LOCK_TAGS_ON, id, &name);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let by = &deletion.by;
        let lines: Vec<(String, i64)> =
            all!(self, ADD_HISTORY_OF_TAGS_ON, id, &name, at, by.kind.as_str(), by.id, &by.name);
        for (tag, line) in &lines {
            self.cut_history(repository.id, tag, *line).await?;
        }
        let gone = execute!(self, DELETE_TAGS_ON, id, &name, at, deletion.id.0.as_bytes().as_slice());
        self.pending.count(Sum::RepositoryTags, id, -i64::try_from(gone).unwrap_or(i64::MAX));
        let mut tags: Vec<Tag> = rows.iter().map(|(tag,)| parse("the tag", tag)).collect::<Result<_>>()?;
        tags.sort();
        Ok(tags)
    }
}
