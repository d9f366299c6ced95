//! Blobs and their links to repositories.

mod writes;

use std::collections::HashMap;

use async_trait::async_trait;
use berth_domain::{Location, Repository, RepositoryId};
use berth_metadata::{
    Blob, BlobHolder, BlobReads, BlobState, LinkPosition, LinkTarget, Place, Result, StoredBlob,
};
use berth_oci::Digest;

use crate::error::corrupt;
use crate::repository::repository as found;
use crate::value::{digest, parse, unsigned};
use crate::{SqlMetadata, batch};

/// What all links bring where. Counted rather than asked for, so that no plan reads all blobs to answer for a page of links.
macro_rules! link_targets {
    ($database:ident) => {
        concat!(
            "SELECT r.id, r.project_id, r.name, r.created_at, l.digest,
                    (SELECT COUNT(*) FROM blobs b WHERE b.digest = l.digest)
             FROM blob_links l",
            in_repository!($database: "l"),
            "WHERE l.deleted_at IS NULL AND (l.digest, l.repository_id) > ($1, $2)
             ORDER BY l.digest, l.repository_id LIMIT $3"
        )
    };
}

statements! {
    BLOB = sql!(
        "SELECT b.digest, b.size, b.state, b.location, b.content FROM blobs b
         WHERE b.digest = $2
         AND EXISTS (SELECT 1 FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                     WHERE l.digest = $2 AND l.repository_id = $1 AND l.deleted_at IS NULL
                     AND r.deleted_at IS NULL)"
    );
    KNOWN_BLOB = sql!("SELECT digest, size, state, location, content FROM blobs WHERE digest = $1");
    LINKED_SIZES = sql!(
        pg: "SELECT l.digest, l.size FROM json_array_elements_text(CAST($2 AS json)) AS wanted
             CROSS JOIN LATERAL (
                 SELECT l.digest, b.size FROM blob_links l JOIN blobs b ON b.digest = l.digest
                 WHERE l.digest = decode(wanted, 'hex') AND l.repository_id = $1 AND l.deleted_at IS NULL
                 AND b.state = 0 OFFSET 0
             ) AS l
             WHERE EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)",
        lite: "SELECT l.digest, b.size FROM json_each($2) AS wanted
               CROSS JOIN blob_links l ON l.digest = unhex(wanted.value)
               JOIN blobs b ON b.digest = l.digest
               WHERE l.repository_id = $1 AND l.deleted_at IS NULL AND b.state = 0
               AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)",
    );
    HAD_SINCE = sql!(
        pg: "SELECT l.digest FROM json_array_elements_text(CAST($3 AS json)) AS wanted
             CROSS JOIN LATERAL (
                 SELECT l.digest FROM blob_links l
                 WHERE l.digest = decode(wanted, 'hex') AND l.repository_id = $1
                 AND (l.deleted_at IS NULL OR l.deleted_at >= (
                     SELECT m.pushed_at FROM manifests m
                     WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL))
                 LIMIT 1
             ) AS l",
        lite: "SELECT DISTINCT l.digest FROM json_each($3) AS wanted
               CROSS JOIN blob_links l ON l.digest = unhex(wanted.value)
               WHERE l.repository_id = $1
               AND (l.deleted_at IS NULL OR l.deleted_at >= (
                   SELECT m.pushed_at FROM manifests m
                   WHERE m.repository_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL))",
    );
    BLOB_HOLDERS = sql!(
        "SELECT r.id, r.name FROM blob_links l JOIN repositories r ON r.id = l.repository_id
         WHERE l.digest = $1 AND l.deleted_at IS NULL AND r.deleted_at IS NULL
         AND EXISTS (SELECT 1 FROM blobs b WHERE b.digest = $1 AND b.state = 0)
         ORDER BY l.repository_id LIMIT $2"
    );
    BLOBS = sql!(
        "SELECT digest, size, state, location, content FROM blobs WHERE digest > $1 ORDER BY digest LIMIT $2"
    );
    STORED_BLOBS = sql!(
        "SELECT digest, size, state, location FROM blobs WHERE digest > $1 AND location IS NOT NULL
         ORDER BY digest LIMIT $2"
    );
    LINK_TARGETS = sql!(pg: link_targets!(pg), lite: link_targets!(lite));
    ADD_BLOB = sql!(
        "INSERT INTO blobs (digest, size, state, created_at, state_at, location, content)
         VALUES ($1, $2, 0, $3, $3, $4, $5) ON CONFLICT (digest) DO NOTHING"
    );
    LOCK_BLOB = sql!(
        pg: "SELECT digest, size, state, location, content FROM blobs WHERE digest = $1 FOR SHARE",
        lite: "SELECT digest, size, state, location, content FROM blobs WHERE digest = $1",
    );
    /// Locked alone, and only if there is something to heal: two that shared it first would wait for each other. Bytes in the row
    /// itself that are not those that are given are damaged.
    LOCK_BAD_BLOB = sql!(
        pg: "SELECT digest, size, state, location, content FROM blobs
             WHERE digest = $1 AND (state <> 0 OR content <> $2) FOR UPDATE",
        lite: "SELECT digest, size, state, location, content FROM blobs
               WHERE digest = $1 AND (state <> 0 OR content <> $2)",
    );
    HEAL_BLOB = sql!(
        "UPDATE blobs SET size = $2, state = 0, state_at = $3, location = $4, content = $5
         WHERE digest = $1 AND (state <> 0 OR content <> $5)"
    );
    LINK_BLOB = sql!(
        "INSERT INTO blob_links (digest, repository_id, linked_at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest, repository_id, deletion_id) DO NOTHING"
    );
    /// One look-up a digest: left to choose, PostgreSQL would read all links of the repository, or all there are.
    LOCK_LINKS = sql!(
        pg: "SELECT l.digest, l.size FROM (
                 SELECT decode(e, 'hex') AS digest FROM json_array_elements_text(CAST($2 AS json)) AS e ORDER BY 1
             ) AS wanted
             CROSS JOIN LATERAL (
                 SELECT l.digest, b.size FROM blob_links l JOIN blobs b ON b.digest = l.digest
                 WHERE l.digest = wanted.digest AND l.repository_id = $1 AND l.deleted_at IS NULL AND b.state = 0
                 FOR SHARE OF l
             ) AS l",
        lite: "SELECT l.digest, b.size FROM json_each($2) AS wanted
               CROSS JOIN blob_links l ON l.digest = unhex(wanted.value)
               JOIN blobs b ON b.digest = l.digest
               WHERE l.repository_id = $1 AND l.deleted_at IS NULL AND b.state = 0",
    );
    /// Locked alone: waits for those that lock it to add a manifest.
    LOCK_LINK = sql!(
        pg: "SELECT repository_id FROM blob_links
             WHERE digest = $2 AND repository_id = $1 AND deleted_at IS NULL FOR UPDATE",
        lite: "SELECT repository_id FROM blob_links
               WHERE digest = $2 AND repository_id = $1 AND deleted_at IS NULL",
    );
    /// The subject of a manifest is a manifest: it does not need a blob of that digest.
    BLOB_USERS = sql!(
        "SELECT DISTINCT m.digest FROM manifest_references f
         JOIN manifests m ON m.repository_id = f.repository_id AND m.id = f.manifest_id
         WHERE f.repository_id = $1 AND f.target = $2 AND f.role IN (0, 1, 3)
         AND m.repository_id = $1 AND m.deleted_at IS NULL LIMIT $3"
    );
    UNLINK_BLOB = sql!(
        "UPDATE blob_links SET deleted_at = $3, deletion_id = $4
         WHERE digest = $2 AND repository_id = $1 AND deleted_at IS NULL"
    );
    MARK_BLOB = sql!(
        pg: "UPDATE blobs SET state = $2, state_at = $3
             WHERE digest = $1 AND location IS NOT DISTINCT FROM $4 AND content IS NOT DISTINCT FROM $5",
        lite: "UPDATE blobs SET state = $2, state_at = $3
               WHERE digest = $1 AND location IS $4 AND content IS $5",
    );
}

/// A repository's row, the blob that is linked there, and how many rows it has.
type TargetRow = (i64, i64, String, i64, Vec<u8>, i64);
type Row = (Vec<u8>, i64, i16, Option<String>, Option<Vec<u8>>);

fn blob((name, size, state, location, content): Row) -> Result<Blob> {
    let place = match (location, content) {
        (Some(location), None) => Place::At(Location::new(location)),
        (None, Some(content)) => Place::Inline(content.into()),
        (location, content) => return Err(corrupt("the place", (location, content.is_some()))),
    };
    Ok(Blob { digest: digest(&name)?, size: unsigned(size)?, place, state: read_state(state)? })
}

/// The column's value for a state.
const fn state_number(state: BlobState) -> i16 {
    match state {
        BlobState::Ok => 0,
        BlobState::Missing => 1,
        BlobState::Corrupt => 2,
    }
}

fn read_state(number: i16) -> Result<BlobState> {
    match number {
        0 => Ok(BlobState::Ok),
        1 => Ok(BlobState::Missing),
        2 => Ok(BlobState::Corrupt),
        _ => Err(corrupt("the blob's state", number)),
    }
}

/// The two columns of a place.
fn columns(place: &Place) -> (Option<&str>, Option<&[u8]>) {
    match place {
        Place::At(location) => (Some(location.as_str()), None),
        Place::Inline(content) => (None, Some(content)),
    }
}

#[async_trait]
impl BlobReads for SqlMetadata {
    async fn blob(&self, repository: RepositoryId, digest: &Digest) -> Result<Option<Blob>> {
        let row: Option<Row> = optional!(self, BLOB, repository.0, digest.to_bytes());
        row.map(blob).transpose()
    }

    async fn known_blob(&self, digest: &Digest) -> Result<Option<Blob>> {
        let row: Option<Row> = optional!(self, KNOWN_BLOB, digest.to_bytes());
        row.map(blob).transpose()
    }

    async fn linked_sizes(&self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>> {
        let rows: Vec<(Vec<u8>, i64)> = all!(self, LINKED_SIZES, repository.0, batch::digests(digests));
        in_order(digests, &rows)
    }

    async fn had_since(
        &self,
        repository: RepositoryId,
        since: &Digest,
        digests: &[Digest],
    ) -> Result<Vec<Digest>> {
        let batch = batch::digests(digests);
        let rows: Vec<(Vec<u8>,)> = all!(self, HAD_SINCE, repository.0, since.to_bytes(), batch);
        rows.iter().map(|(name,)| digest(name)).collect()
    }

    async fn blob_holders(&self, digest: &Digest, limit: u32) -> Result<Vec<BlobHolder>> {
        let rows: Vec<(i64, String)> = all!(self, BLOB_HOLDERS, digest.to_bytes(), i64::from(limit));
        let holder = |(id, name): (i64, String)| {
            Ok(BlobHolder { repository: RepositoryId(id), name: parse("the repository's name", &name)? })
        };
        rows.into_iter().map(holder).collect()
    }

    async fn blobs(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<Blob>> {
        let after = after.map(Digest::to_bytes).unwrap_or_default();
        let rows: Vec<Row> = all!(self, BLOBS, after, i64::from(limit));
        rows.into_iter().map(blob).collect()
    }

    async fn stored_blobs(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<StoredBlob>> {
        let after = after.map(Digest::to_bytes).unwrap_or_default();
        let rows: Vec<(Vec<u8>, i64, i16, String)> = all!(self, STORED_BLOBS, after, i64::from(limit));
        let stored = rows.into_iter().map(|(name, size, state, location)| {
            let (digest, size, state) = (digest(&name)?, unsigned(size)?, read_state(state)?);
            Ok(StoredBlob { digest, size, location: Location::new(location), state })
        });
        stored.collect()
    }

    async fn link_targets(
        &self,
        after: Option<&LinkPosition>,
        limit: u32,
    ) -> Result<Vec<(Repository, LinkTarget)>> {
        let (after, repository) =
            after.map_or((Vec::new(), 0), |after| (after.digest.to_bytes(), after.repository.0));
        let rows: Vec<TargetRow> = all!(self, LINK_TARGETS, after, repository, i64::from(limit));
        let targets = rows.into_iter().map(|(id, project, name, created_at, target, blobs)| {
            let target = LinkTarget { digest: digest(&target)?, there: blobs > 0 };
            Ok((found((id, project, name, created_at))?, target))
        });
        targets.collect()
    }
}

/// Puts sizes that were found into the order that they were asked for in.
pub(crate) fn in_order(digests: &[Digest], found: &[(Vec<u8>, i64)]) -> Result<Vec<Option<u64>>> {
    let found: HashMap<&[u8], i64> = found.iter().map(|(name, size)| (name.as_slice(), *size)).collect();
    let size = |name: &Digest| found.get(name.to_bytes().as_slice()).copied().map(unsigned).transpose();
    digests.iter().map(size).collect()
}
