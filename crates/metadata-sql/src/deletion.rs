//! Deletions, and how they are taken back.

use async_trait::async_trait;
use berth_domain::{Actor, DeletionId, ProjectId, RepositoryId, Timestamp};
use berth_metadata::{
    BlobState, BlobWrites as _, Deletion, DeletionReads, DeletionWrites, Error, RememberedDeletion,
    Restoration, Restored, Result,
};
use berth_oci::{Digest, RepositoryName};
use sqlx::FromRow;

use crate::SqlMetadata;
use crate::pending::Sum;
use crate::transaction::SqlTransaction;
use crate::value::{actor, digest, signed, time};

/// What must be true of a deleted tag `t` to come back: no live tag has its name, and its manifest lives.
macro_rules! tag_can_return {
    ($repository:literal) => {
        concat!("t.deletion_id = $1 AND t.repository_id = ", $repository, "
         AND NOT EXISTS (SELECT 1 FROM tags o
                         WHERE o.repository_id = t.repository_id AND o.name = t.name AND o.deleted_at IS NULL)
         AND EXISTS (SELECT 1 FROM manifests m
                     WHERE m.repository_id = t.repository_id AND m.digest = t.digest AND m.deleted_at IS NULL)")
    };
}

statements! {
    NOTE_DELETION = sql!(
        "INSERT INTO deletions (id, deleted_at, by_kind, by_id, by_name) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING"
    );
    NOTE_RESTORATION = sql!(
        "UPDATE deletions SET restored_at = $2, restored_by_kind = $3, restored_by_id = $4, restored_by_name = $5
         WHERE id = $1"
    );
    DELETION = sql!(
        "SELECT deleted_at, by_kind, by_id, by_name, restored_at, restored_by_kind, restored_by_id, restored_by_name
         FROM deletions WHERE id = $1"
    );
    /// The project to which a repository comes back stays as long as the transaction goes on.
    LOCK_PROJECT_FOR_RESTORATION = sql!(
        pg: "SELECT p.id FROM projects p WHERE p.deleted_at IS NULL AND p.id =
                 (SELECT r.project_id FROM repositories r WHERE r.deletion_id = $1 AND r.name = $2 LIMIT 1)
             FOR SHARE OF p",
        lite: "SELECT p.id FROM projects p WHERE p.deleted_at IS NULL AND p.id =
                   (SELECT r.project_id FROM repositories r WHERE r.deletion_id = $1 AND r.name = $2 LIMIT 1)",
    );
    RESTORE_REPOSITORY = sql!(
        "UPDATE repositories AS t SET deleted_at = NULL, deletion_id = NULL
         WHERE t.deletion_id = $1 AND t.name = $2
         AND NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = t.name AND o.deleted_at IS NULL)
         AND EXISTS (SELECT 1 FROM projects p WHERE p.id = t.project_id AND p.deleted_at IS NULL)
         RETURNING id, project_id"
    );
    /// Alone with what was deleted in it: waits for those that add to it.
    LOCK_FOR_RESTORATION = sql!(
        pg: "SELECT id, project_id FROM repositories WHERE name = $1 AND deleted_at IS NULL FOR UPDATE",
        lite: "SELECT id, project_id FROM repositories WHERE name = $1 AND deleted_at IS NULL",
    );
    RESTORE_MANIFESTS = sql!(
        "UPDATE manifests AS t SET deleted_at = NULL, deletion_id = NULL
         WHERE t.deletion_id = $1 AND t.repository_id = $2
         AND NOT EXISTS (SELECT 1 FROM manifests o
                         WHERE o.repository_id = t.repository_id AND o.digest = t.digest AND o.deleted_at IS NULL)
         RETURNING id, digest"
    );
    /// The links that come back, with what their project has to count for each. Found by the deletion: a repository may have many.
    LINKS_TO_RESTORE = sql!(
        pg: "SELECT t.digest, b.size FROM blob_links t JOIN blobs b ON b.digest = t.digest
             WHERE t.deletion_id = $1 AND +t.repository_id = $2 AND t.deleted_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM blob_links o
                             WHERE o.digest = t.digest AND o.repository_id = t.repository_id
                             AND o.deleted_at IS NULL)
             ORDER BY t.digest FOR UPDATE OF t",
        lite: "SELECT t.digest, b.size FROM blob_links t JOIN blobs b ON b.digest = t.digest
               WHERE t.deletion_id = $1 AND +t.repository_id = $2 AND t.deleted_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM blob_links o
                               WHERE o.digest = t.digest AND o.repository_id = t.repository_id
                               AND o.deleted_at IS NULL)
               ORDER BY t.digest",
    );
    /// Blobs that a manifest needs and that are not linked any more, with the latest deletion of their link; one that never had a
    /// link has none.
    LINKS_TO_FOLLOW = sql!(
        "SELECT DISTINCT f.target,
                (SELECT t.deletion_id FROM blob_links t
                 WHERE t.digest = f.target AND t.repository_id = $1 AND t.deleted_at IS NOT NULL
                 ORDER BY t.deleted_at DESC, t.deletion_id LIMIT 1)
         FROM manifest_references f
         WHERE f.repository_id = $1 AND f.manifest_id = $2 AND f.role IN (0, 1, 3)
         AND NOT EXISTS (SELECT 1 FROM blob_links o
                         WHERE o.digest = f.target AND o.repository_id = $1 AND o.deleted_at IS NULL)
         ORDER BY f.target"
    );
    RESTORE_LINK = sql!(
        pg: "UPDATE blob_links SET deleted_at = NULL, deletion_id = ''
             WHERE digest = $1 AND repository_id = $2 AND deletion_id = $3",
        lite: "UPDATE blob_links SET deleted_at = NULL, deletion_id = X''
               WHERE digest = $1 AND repository_id = $2 AND deletion_id = $3",
    );
    /// A line for each tag that comes back.
    ADD_HISTORY_OF_RESTORED = sql!(concat!(
        "INSERT INTO tag_history (repository_id, tag, line, from_digest, to_digest, changed_at,
                                  by_kind, by_id, by_name)
         SELECT t.repository_id, t.name,
                (SELECT COALESCE(MAX(h.line), 0) + 1 FROM tag_history h
                 WHERE h.repository_id = t.repository_id AND h.tag = t.name),
                NULL, t.digest, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT)
         FROM tags t WHERE ",
        tag_can_return!("$6"),
        " RETURNING tag, line"
    ));
    RESTORE_TAGS = sql!(concat!(
        "UPDATE tags AS t SET deleted_at = NULL, deletion_id = NULL WHERE ",
        tag_can_return!("$2"),
        " RETURNING digest"
    ));
}

#[derive(FromRow)]
struct Row {
    deleted_at: i64,
    by_kind: String,
    by_id: i64,
    by_name: String,
    restored_at: Option<i64>,
    restored_by_kind: Option<String>,
    restored_by_id: Option<i64>,
    restored_by_name: Option<String>,
}

fn deletion(id: DeletionId, row: Row) -> Result<RememberedDeletion> {
    let by = actor(&row.by_kind, row.by_id, row.by_name)?;
    let restorer = match (row.restored_by_kind, row.restored_by_id, row.restored_by_name) {
        (Some(kind), Some(id), Some(name)) => Some(actor(&kind, id, name)?),
        _ => None,
    };
    Ok(RememberedDeletion {
        deletion: Deletion { id, by, at: time(row.deleted_at) },
        restoration: row.restored_at.map(|at| Restoration { by: restorer, at: time(at) }),
    })
}

#[async_trait]
impl DeletionReads for SqlMetadata {
    async fn deletion(&self, id: DeletionId) -> Result<Option<RememberedDeletion>> {
        let row: Option<Row> = optional!(self, DELETION, id.0.as_bytes().as_slice());
        row.map(|row| deletion(id, row)).transpose()
    }
}

#[async_trait]
impl DeletionWrites for SqlTransaction {
    async fn restore(
        &mut self,
        repository: &RepositoryName,
        deletion: DeletionId,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Restored> {
        let id = deletion.0.as_bytes().as_slice();
        let repositories = self.restore_repository(repository, id, at).await?;
        let row: Option<(i64, i64)> = optional!(self, LOCK_FOR_RESTORATION, repository.as_str());
        let Some((repository, project)) = row else { return Ok(Restored::default()) };
        let within = Within { repository: RepositoryId(repository), project: ProjectId(project) };
        let mut restored = Restored { repositories, ..Restored::default() };
        restored.links = self.restore_links(within, id, at).await?;
        self.restore_manifests(within, id, at, &mut restored).await?;
        restored.tags = self.restore_tags(within, id, by, at).await?;
        if restored != Restored::default() {
            execute!(self, NOTE_RESTORATION, id, at.as_micros(), by.kind.as_str(), by.id, &by.name);
        }
        Ok(restored)
    }
}

/// The repository in which something comes back.
#[derive(Clone, Copy, Debug)]
struct Within {
    repository: RepositoryId,
    project: ProjectId,
}

impl SqlTransaction {
    /// Writes down who deletes, once an act.
    pub(crate) async fn note_deletion(&mut self, deletion: &Deletion) -> Result<()> {
        let (id, at, by) = (deletion.id.0.as_bytes().as_slice(), deletion.at.as_micros(), &deletion.by);
        execute!(self, NOTE_DELETION, id, at, by.kind.as_str(), by.id, &by.name);
        Ok(())
    }

    async fn restore_repository(&mut self, name: &RepositoryName, id: &[u8], at: Timestamp) -> Result<u64> {
        let _: Option<(i64,)> = optional!(self, LOCK_PROJECT_FOR_RESTORATION, id, name.as_str());
        let rows: Vec<(i64, i64)> = all!(self, RESTORE_REPOSITORY, id, name.as_str());
        for (repository, project) in &rows {
            self.note_content(ProjectId(*project), RepositoryId(*repository), 1, at).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn restore_manifests(
        &mut self,
        within: Within,
        id: &[u8],
        at: Timestamp,
        restored: &mut Restored,
    ) -> Result<()> {
        let repository = within.repository;
        let rows: Vec<(i64, Vec<u8>)> = all!(self, RESTORE_MANIFESTS, id, repository.0);
        for (manifest, name) in &rows {
            self.restore_links_of(within, *manifest, at, restored).await?;
            self.review_neighbours(repository, *manifest, &digest(name)?, at).await?;
            self.pending.count(Sum::RepositoryManifests, repository.0, 1);
            self.fill(repository).await?;
        }
        restored.manifests = rows.len() as u64;
        Ok(())
    }

    /// Brings back the links that the manifest needs and that another deletion took.
    async fn restore_links_of(
        &mut self,
        within: Within,
        manifest: i64,
        at: Timestamp,
        restored: &mut Restored,
    ) -> Result<()> {
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            all!(self, LINKS_TO_FOLLOW, within.repository.0, manifest);
        for (name, deletion) in rows {
            let Some(deletion) = deletion else { continue };
            let blob: Digest = digest(&name)?;
            match self.lock_blob(&blob).await? {
                Some(found) if found.state == BlobState::Ok => {
                    self.restore_link(within, &name, signed(found.size), &deletion, at).await?;
                    restored.links += 1;
                }
                _ => restored.gone.push(blob),
            }
        }
        Ok(())
    }

    async fn restore_links(&mut self, within: Within, id: &[u8], at: Timestamp) -> Result<u64> {
        let rows: Vec<(Vec<u8>, i64)> = all!(self, LINKS_TO_RESTORE, id, within.repository.0);
        for (name, size) in &rows {
            self.restore_link(within, name, *size, id, at).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn restore_link(
        &mut self,
        within: Within,
        name: &[u8],
        size: i64,
        deletion: &[u8],
        at: Timestamp,
    ) -> Result<()> {
        execute!(self, RESTORE_LINK, name, within.repository.0, deletion);
        self.pending.link(within.project, name, size, 1);
        self.pending.review_blob(name, at);
        Ok(())
    }

    async fn restore_tags(&mut self, within: Within, id: &[u8], by: &Actor, at: Timestamp) -> Result<u64> {
        let (micros, kind, repository) = (at.as_micros(), by.kind.as_str(), within.repository);
        let lines: Vec<(String, i64)> =
            all!(self, ADD_HISTORY_OF_RESTORED, id, micros, kind, by.id, &by.name, repository.0);
        let rows: Vec<(Vec<u8>,)> = all!(self, RESTORE_TAGS, id, repository.0);
        if lines.len() != rows.len() {
            // A tag of the same name was pushed between the two statements.
            return Err(Error::Conflict);
        }
        for (tag, line) in &lines {
            self.cut_history(repository, tag, *line).await?;
        }
        for (name,) in &rows {
            self.pending.review_manifest(repository, &digest(name)?, at);
            self.pending.count(Sum::RepositoryTags, repository.0, 1);
        }
        Ok(rows.len() as u64)
    }
}
