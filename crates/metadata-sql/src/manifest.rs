//! Manifests and what they point at.

use async_trait::async_trait;
use berth_domain::{Actor, Repository, RepositoryId, Timestamp};
use berth_metadata::{
    AddedManifest, Deletion, Error, FoundManifest, ManifestPosition, ManifestReads, ManifestWrites,
    NewManifest, Result, StoredManifest,
};
use berth_oci::{Digest, Tag};

use crate::SqlMetadata;
use crate::batch;
use crate::blob::in_order;
use crate::pending::Sum;
use crate::reference::Fields;
use crate::repository::repository as found;
use crate::transaction::SqlTransaction;
use crate::value::{digest, parse, signed, unsigned};

/// All manifests.
macro_rules! manifests {
    ($database:ident) => {
        concat!(
            "SELECT r.id, r.project_id, r.name, r.created_at, m.digest, m.media_type, m.content
             FROM manifests m",
            in_repository!($database: "m"),
            "WHERE m.deleted_at IS NULL AND (m.repository_id, m.digest) > ($1, $2)
             ORDER BY m.repository_id, m.digest LIMIT $3"
        )
    };
}

statements! {
    MANIFEST_BY_DIGEST = sql!(
        "SELECT m.digest, m.media_type, m.size, CASE WHEN m.size <= $3 THEN m.content END FROM manifests m
         WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)"
    );
    MANIFEST_BY_TAG = sql!(
        "SELECT m.digest, m.media_type, m.size, CASE WHEN m.size <= $3 THEN m.content END FROM tags t
         JOIN manifests m ON m.repository_id = $1 AND m.digest = t.digest AND m.deleted_at IS NULL
         WHERE t.repository_id = $1 AND t.name = $2 AND t.deleted_at IS NULL
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)"
    );
    MANIFEST_SIZES = sql!(
        pg: "SELECT m.digest, m.size FROM json_array_elements_text(CAST($2 AS json)) AS wanted
             CROSS JOIN LATERAL (
                 SELECT m.digest, m.size FROM manifests m
                 WHERE m.repository_id = $1 AND m.digest = decode(wanted, 'hex') AND m.deleted_at IS NULL OFFSET 0
             ) AS m
             WHERE EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)",
        lite: "SELECT m.digest, m.size FROM json_each($2) AS wanted
               CROSS JOIN manifests m ON m.digest = unhex(wanted.value)
               WHERE m.repository_id = $1 AND m.deleted_at IS NULL
               AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)",
    );
    MANIFESTS = sql!(pg: manifests!(pg), lite: manifests!(lite));
    /// One look-up a digest: left to choose, PostgreSQL would read all manifests of the repository.
    LOCK_MANIFESTS = sql!(
        pg: "SELECT m.digest, m.size FROM (
                 SELECT decode(e, 'hex') AS digest FROM json_array_elements_text(CAST($2 AS json)) AS e ORDER BY 1
             ) AS wanted
             CROSS JOIN LATERAL (
                 SELECT m.digest, m.size FROM manifests m
                 WHERE m.repository_id = $1 AND m.digest = wanted.digest AND m.deleted_at IS NULL FOR SHARE
             ) AS m",
        lite: "SELECT m.digest, m.size FROM json_each($2) AS wanted
               CROSS JOIN manifests m ON m.digest = unhex(wanted.value)
               WHERE m.repository_id = $1 AND m.deleted_at IS NULL",
    );
    /// Whoever adds a manifest about the same subject waits for the end of the transaction, so that numbers become visible in
    /// their order: a list that is continued behind one of them misses none. A lock, because there need not be a row to lock.
    LOCK_SUBJECT = sql!(
        pg: "SELECT pg_advisory_xact_lock(hashtextextended(encode($2, 'hex'), $1))",
        lite: "SELECT $1, $2",
    );
    /// Gives no row if there is a live manifest of that digest.
    ADD_MANIFEST = sql!(
        "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, size, pushed_at,
                                by_kind, by_id, by_name, annotations, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (repository_id, digest) WHERE deleted_at IS NULL DO NOTHING RETURNING id"
    );
    /// The manifest if its bytes are these.
    LOCK_MANIFEST = sql!(
        pg: "SELECT id FROM manifests
             WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND content = $3 FOR SHARE",
        lite: "SELECT id FROM manifests
               WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND content = $3",
    );
    /// Locked alone, and only if there is something to heal: two that shared it first would wait for each other.
    HEAL_MANIFEST = sql!(
        "UPDATE manifests SET content = $3, size = $4
         WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL AND content <> $3"
    );
    DELETE_MANIFEST = sql!(
        "UPDATE manifests SET deleted_at = $3, deletion_id = $4
         WHERE repository_id = $1 AND digest = $2 AND deleted_at IS NULL RETURNING id"
    );
    REFERRERS_OF = sql!(
        "SELECT digest FROM manifests WHERE repository_id = $1 AND subject = $2 AND deleted_at IS NULL"
    );
}

type Row = (Vec<u8>, String, Vec<u8>);
/// The same with its size, and the bytes only if they are wanted.
type FoundRow = (Vec<u8>, String, i64, Option<Vec<u8>>);
/// A repository's row and its manifest's.
type ListedRow = (i64, i64, String, i64, Vec<u8>, String, Vec<u8>);

fn stored((name, media_type, content): Row) -> Result<StoredManifest> {
    Ok(StoredManifest {
        digest: digest(&name)?,
        media_type: parse("the media type", &media_type)?,
        content: content.into(),
    })
}

fn found_manifest((name, media_type, size, content): FoundRow) -> Result<FoundManifest> {
    Ok(match content {
        Some(content) => FoundManifest::Whole(stored((name, media_type, content))?),
        None => FoundManifest::Large {
            digest: digest(&name)?,
            media_type: parse("the media type", &media_type)?,
            size: unsigned(size)?,
        },
    })
}

#[async_trait]
impl ManifestReads for SqlMetadata {
    async fn manifest_up_to(
        &self,
        repository: RepositoryId,
        digest: &Digest,
        most: u64,
    ) -> Result<Option<FoundManifest>> {
        let row: Option<FoundRow> =
            optional!(self, MANIFEST_BY_DIGEST, repository.0, digest.to_bytes(), signed(most));
        row.map(found_manifest).transpose()
    }

    async fn manifest_by_tag(
        &self,
        repository: RepositoryId,
        tag: &Tag,
        most: u64,
    ) -> Result<Option<FoundManifest>> {
        let row: Option<FoundRow> =
            optional!(self, MANIFEST_BY_TAG, repository.0, tag.as_str(), signed(most));
        row.map(found_manifest).transpose()
    }

    async fn manifest_sizes(&self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>> {
        let rows: Vec<(Vec<u8>, i64)> = all!(self, MANIFEST_SIZES, repository.0, batch::digests(digests));
        in_order(digests, &rows)
    }

    async fn manifests(
        &self,
        after: Option<&ManifestPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, StoredManifest)>> {
        let (repository, digest) =
            after.map_or((0, Vec::new()), |after| (after.repository.0, after.digest.to_bytes()));
        let rows: Vec<ListedRow> = all!(self, MANIFESTS, repository, digest, i64::from(limit));
        let listed = rows.into_iter().map(|(id, project, name, created_at, digest, media_type, content)| {
            Ok((found((id, project, name, created_at))?, stored((digest, media_type, content))?))
        });
        listed.collect()
    }
}

#[async_trait]
impl ManifestWrites for SqlTransaction {
    async fn lock_manifests(
        &mut self,
        repository: RepositoryId,
        digests: &[Digest],
    ) -> Result<Vec<Option<u64>>> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Vec<u8>, i64)> = all!(self, LOCK_MANIFESTS, repository.0, batch::digests(digests));
        in_order(digests, &rows)
    }

    async fn add_manifest(
        &mut self,
        repository: &Repository,
        new: &NewManifest<'_>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<AddedManifest> {
        self.hold_to_add(repository.id).await?;
        let Some(id) = self.insert_manifest(repository, new, by, at).await? else {
            return self.keep_manifest(repository.id, new).await;
        };
        self.note_references(repository.id, id, new).await?;
        self.pending.review_manifest(repository.id, &new.digest, at);
        self.pending.count(Sum::RepositoryManifests, repository.id.0, 1);
        self.fill(repository.id).await?;
        Ok(AddedManifest::Added)
    }

    async fn delete_manifest(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        deletion: &Deletion,
    ) -> Result<Option<Vec<Tag>>> {
        if !self.hold_to_remove(repository.id).await? {
            return Ok(None);
        }
        let name = digest.to_bytes();
        let (at, id) = (deletion.at.as_micros(), deletion.id.0.as_bytes().as_slice());
        let deleted: Option<(i64,)> = optional!(self, DELETE_MANIFEST, repository.id.0, &name, at, id);
        let Some((manifest,)) = deleted else { return Ok(None) };
        self.note_deletion(deletion).await?;
        let tags = self.delete_tags_on(repository, digest, deletion).await?;
        self.review_neighbours(repository.id, manifest, digest, deletion.at).await?;
        self.pending.count(Sum::RepositoryManifests, repository.id.0, -1);
        self.empty(repository.id).await?;
        Ok(Some(tags))
    }
}

impl SqlTransaction {
    /// The new row's number; `None` if a live manifest of that digest is there.
    async fn insert_manifest(
        &mut self,
        repository: &Repository,
        new: &NewManifest<'_>,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Option<i64>> {
        let Fields { size, subject, artifact_type, annotations } = Fields::of(new);
        if let Some(subject) = &subject {
            execute!(self, LOCK_SUBJECT, repository.id.0, subject.as_slice());
        }
        let row: Option<(i64,)> = optional!(
            self,
            ADD_MANIFEST,
            repository.id.0,
            new.digest.to_bytes(),
            new.manifest.media_type.as_str(),
            artifact_type,
            subject,
            size,
            at.as_micros(),
            by.kind.as_str(),
            by.id,
            &by.name,
            annotations,
            new.content.as_ref()
        );
        Ok(row.map(|(id,)| id))
    }

    /// Locks the manifest that is there, and puts its bytes right if they are damaged.
    async fn keep_manifest(
        &mut self,
        repository: RepositoryId,
        new: &NewManifest<'_>,
    ) -> Result<AddedManifest> {
        let (name, content) = (new.digest.to_bytes(), new.content.as_ref());
        let good: Option<(i64,)> = optional!(self, LOCK_MANIFEST, repository.0, &name, content);
        if good.is_some() {
            return Ok(AddedManifest::Kept);
        }
        match execute!(self, HEAL_MANIFEST, repository.0, &name, content, signed(content.len() as u64)) {
            // Deleted or healed between the statements.
            0 => Err(Error::Conflict),
            _ => Ok(AddedManifest::Healed),
        }
    }

    /// Puts into the review queue what the deleted manifest held, itself, and what is about it.
    pub(crate) async fn review_neighbours(
        &mut self,
        repository: RepositoryId,
        manifest: i64,
        name: &Digest,
        at: Timestamp,
    ) -> Result<()> {
        self.pending.review_manifest(repository, name, at);
        self.review_targets(repository, manifest, at).await?;
        let referrers: Vec<(Vec<u8>,)> = all!(self, REFERRERS_OF, repository.0, name.to_bytes());
        for (referrer,) in referrers {
            self.pending.review_manifest(repository, &digest(&referrer)?, at);
        }
        Ok(())
    }
}
