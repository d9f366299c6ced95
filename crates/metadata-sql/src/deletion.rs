//! Deletions, and how they are taken back.

use async_trait::async_trait;
use berth_domain::{Actor, DeletionId, ProjectId, RepositoryId, Timestamp};
use berth_metadata::{Deletion, DeletionWrites, Error, Restored, Result};

use crate::pending::Sum;
use crate::transaction::SqlTransaction;
use crate::value::digest;

/// What must be true of a deleted tag `t` to come back: no live tag has its name, and its manifest lives.
macro_rules! tag_can_return {
    () => {
        "t.deletion_id = $1
         AND NOT EXISTS (SELECT 1 FROM tags o
                         WHERE o.repository_id = t.repository_id AND o.name = t.name AND o.deleted_at IS NULL)
         AND EXISTS (SELECT 1 FROM manifests m
                     WHERE m.repository_id = t.repository_id AND m.digest = t.digest AND m.deleted_at IS NULL)"
    };
}

statements! {
    NOTE_DELETION = sql!(
        "INSERT INTO deletions (id, deleted_at, by_kind, by_id, by_name) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO NOTHING"
    );
    NOTE_RESTORATION = sql!("UPDATE deletions SET restored_at = $2 WHERE id = $1");
    RESTORE_REPOSITORIES = sql!(
        "UPDATE repositories AS t SET deleted_at = NULL, deletion_id = NULL
         WHERE t.deletion_id = $1
         AND NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = t.name AND o.deleted_at IS NULL)
         AND EXISTS (SELECT 1 FROM projects p WHERE p.id = t.project_id AND p.deleted_at IS NULL)
         RETURNING id, project_id"
    );
    RESTORE_MANIFESTS = sql!(
        "UPDATE manifests AS t SET deleted_at = NULL, deletion_id = NULL
         WHERE t.deletion_id = $1
         AND NOT EXISTS (SELECT 1 FROM manifests o
                         WHERE o.repository_id = t.repository_id AND o.digest = t.digest AND o.deleted_at IS NULL)
         RETURNING repository_id, id, digest"
    );
    /// The links that come back, with what their project has to count for each.
    LINKS_TO_RESTORE = sql!(
        pg: "SELECT t.digest, t.repository_id, r.project_id, b.size FROM blob_links t
             JOIN repositories r ON r.id = t.repository_id JOIN blobs b ON b.digest = t.digest
             WHERE t.deletion_id = $1 AND t.deleted_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM blob_links o
                             WHERE o.digest = t.digest AND o.repository_id = t.repository_id
                             AND o.deleted_at IS NULL)
             ORDER BY t.digest, t.repository_id FOR UPDATE OF t",
        lite: "SELECT t.digest, t.repository_id, r.project_id, b.size FROM blob_links t
               JOIN repositories r ON r.id = t.repository_id JOIN blobs b ON b.digest = t.digest
               WHERE t.deletion_id = $1 AND t.deleted_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM blob_links o
                               WHERE o.digest = t.digest AND o.repository_id = t.repository_id
                               AND o.deleted_at IS NULL)
               ORDER BY t.digest, t.repository_id",
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
        tag_can_return!()
    ));
    RESTORE_TAGS = sql!(concat!(
        "UPDATE tags AS t SET deleted_at = NULL, deletion_id = NULL WHERE ",
        tag_can_return!(),
        " RETURNING repository_id, digest"
    ));
}

#[async_trait]
impl DeletionWrites for SqlTransaction {
    async fn restore(&mut self, deletion: DeletionId, by: &Actor, at: Timestamp) -> Result<Restored> {
        let id = deletion.0.as_bytes().as_slice();
        execute!(self, NOTE_RESTORATION, id, at.as_micros());
        Ok(Restored {
            repositories: self.restore_repositories(id, at).await?,
            manifests: self.restore_manifests(id, at).await?,
            links: self.restore_links(id, at).await?,
            tags: self.restore_tags(id, by, at).await?,
        })
    }
}

impl SqlTransaction {
    /// Writes down who deletes, once an act.
    pub(crate) async fn note_deletion(&mut self, deletion: &Deletion) -> Result<()> {
        let (id, at, by) = (deletion.id.0.as_bytes().as_slice(), deletion.at.as_micros(), &deletion.by);
        execute!(self, NOTE_DELETION, id, at, by.kind.as_str(), by.id, &by.name);
        Ok(())
    }

    async fn restore_repositories(&mut self, id: &[u8], at: Timestamp) -> Result<u64> {
        let rows: Vec<(i64, i64)> = all!(self, RESTORE_REPOSITORIES, id);
        for (repository, project) in &rows {
            self.count_content(ProjectId(*project), RepositoryId(*repository), 1).await?;
            self.review_content(RepositoryId(*repository), at).await?;
        }
        Ok(rows.len() as u64)
    }

    async fn restore_manifests(&mut self, id: &[u8], at: Timestamp) -> Result<u64> {
        let rows: Vec<(i64, i64, Vec<u8>)> = all!(self, RESTORE_MANIFESTS, id);
        for (repository, manifest, name) in &rows {
            let repository = RepositoryId(*repository);
            self.review_neighbours(repository, *manifest, &digest(name)?, at).await?;
            self.pending.count(Sum::RepositoryManifests, repository.0, 1);
        }
        Ok(rows.len() as u64)
    }

    async fn restore_links(&mut self, id: &[u8], at: Timestamp) -> Result<u64> {
        let rows: Vec<(Vec<u8>, i64, i64, i64)> = all!(self, LINKS_TO_RESTORE, id);
        for (name, repository, project, size) in &rows {
            execute!(self, RESTORE_LINK, name, *repository, id);
            self.pending.link(ProjectId(*project), name, *size, 1);
            self.pending.review_blob(name, at);
        }
        Ok(rows.len() as u64)
    }

    async fn restore_tags(&mut self, id: &[u8], by: &Actor, at: Timestamp) -> Result<u64> {
        let (micros, kind) = (at.as_micros(), by.kind.as_str());
        let lines = execute!(self, ADD_HISTORY_OF_RESTORED, id, micros, kind, by.id, &by.name);
        let rows: Vec<(i64, Vec<u8>)> = all!(self, RESTORE_TAGS, id);
        if lines != rows.len() as u64 {
            // A tag of the same name was pushed between the two statements.
            return Err(Error::Conflict);
        }
        for (repository, name) in &rows {
            self.pending.review_manifest(RepositoryId(*repository), &digest(name)?, at);
            self.pending.count(Sum::RepositoryTags, *repository, 1);
        }
        Ok(rows.len() as u64)
    }
}
