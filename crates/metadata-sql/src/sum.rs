//! Sums and what they follow from: compared in one statement each, and derived again.
//!
//! Every transaction that changes rows changes their sums alike, so what a sum is wrong by stays the same whoever writes meanwhile. It is
//! therefore added to the sum, which needs no lock against writers; only two that derive would add it twice, so there is one at a time.

use async_trait::async_trait;
use berth_domain::{ProjectId, RepositoryId};
use berth_metadata::{
    Derived, ProjectBlob, ProjectBlobPosition, ProjectBlobSums, ProjectBytes, RepositorySums, Result,
    SumReads, SumWrites,
};
use berth_oci::Digest;

use crate::SqlMetadata;
use crate::pending::Sum;
use crate::repository::repository;
use crate::transaction::SqlTransaction;
use crate::value::{digest, parse};

/// What is kept of a sum, which is a [`Sum`] by number.
macro_rules! kept {
    ($sum:literal, $owner:literal) => {
        concat!(
            "(SELECT CAST(COALESCE(SUM(c.amount), 0) AS BIGINT) FROM counters c WHERE c.kind = ",
            $sum,
            " AND c.owner_id = ",
            $owner,
            ")"
        )
    };
}

/// A repository with its sums, up to which one it is.
macro_rules! repository_sums {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.project_id, r.name, r.created_at, r.filled,\n",
            kept!("2", "r.id"),
            ", (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL),\n",
            kept!("3", "r.id"),
            ", (SELECT COUNT(*) FROM tags t WHERE t.repository_id = r.id AND t.deleted_at IS NULL),\n",
            kept!("4", "r.id"),
            ", (SELECT CAST(COALESCE(SUM(p.pull_count), 0) AS BIGINT) FROM manifest_pulls p WHERE p.repository_id = r.id)
             FROM repositories r WHERE r.deleted_at IS NULL AND ",
            $which
        )
    };
}

statements! {
    REPOSITORY_SUMS = sql!(repository_sums!("r.id > $1 ORDER BY r.id LIMIT $2"));
    SUMS_OF_REPOSITORY = sql!(repository_sums!("r.id = $1"));
    /// A blob that has no good row has no size that could be compared.
    PROJECT_BLOBS = sql!(
        "SELECT b.digest, b.project_id, b.links, b.size,
                (SELECT k.size FROM blobs k WHERE k.digest = b.digest AND k.state = 0)
         FROM project_blobs b WHERE (b.digest, b.project_id) > ($1, $2)
         ORDER BY b.digest, b.project_id LIMIT $3"
    );
    SUMS_OF_PROJECT_BLOB = sql!(
        "SELECT p.name,
                (SELECT b.links FROM project_blobs b WHERE b.digest = $2 AND b.project_id = $1),
                (SELECT COUNT(*) FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                 WHERE l.digest = $2 AND l.deleted_at IS NULL AND r.project_id = $1 AND r.deleted_at IS NULL),
                (SELECT b.size FROM project_blobs b WHERE b.digest = $2 AND b.project_id = $1),
                (SELECT k.size FROM blobs k WHERE k.digest = $2 AND k.state = 0)
         FROM projects p WHERE p.id = $1"
    );
    KEPT_BYTES = sql!(concat!(
        "SELECT p.id, ", kept!("1", "p.id"), " FROM projects p WHERE p.id > $1 ORDER BY p.id LIMIT $2"
    ));
    BYTES_OF_PROJECT = sql!(concat!(
        "SELECT p.name, ", kept!("1", "$1"), ",
                (SELECT CAST(COALESCE(SUM(COALESCE(
                     (SELECT k.size FROM blobs k WHERE k.digest = b.digest AND k.state = 0), b.size)), 0) AS BIGINT)
                 FROM project_blobs b WHERE b.project_id = $1
                 AND b.digest IN (SELECT l.digest FROM repositories r JOIN blob_links l ON l.repository_id = r.id
                                  WHERE r.project_id = $1 AND r.deleted_at IS NULL AND l.deleted_at IS NULL))
         FROM projects p WHERE p.id = $1"
    ));
    /// Until the transaction ends; the number is this lock's own.
    LOCK_DERIVING = sql!(pg: "SELECT pg_advisory_xact_lock(7310579604226794087)", lite: "SELECT 1");
    /// Against the deletion of repositories, which changes the links of those blobs only that are counted already.
    HOLD_HOLDERS = sql!(
        pg: "SELECT r.id FROM blob_links l JOIN repositories r ON r.id = l.repository_id
             WHERE l.digest = $2 AND l.deleted_at IS NULL AND r.project_id = $1 AND r.deleted_at IS NULL
             ORDER BY r.id FOR KEY SHARE OF r",
        lite: "SELECT $1, $2",
    );
    ADJUST_PROJECT_BLOB = sql!(
        "INSERT INTO project_blobs (digest, project_id, size, links) VALUES ($1, $2, $3, $4)
         ON CONFLICT (digest, project_id) DO UPDATE
         SET size = excluded.size, links = project_blobs.links + excluded.links"
    );
}

/// A repository, whether it is filled, and each sum as it is kept and as it is.
type RepositoryRow = (i64, i64, String, i64, bool, i64, i64, i64, i64, i64, i64);
type ProjectBlobRow = (Vec<u8>, i64, i64, i64, Option<i64>);
/// A project, the links that are kept and the actual ones, the size that is kept and the blob's.
type ProjectBlobSumsRow = (String, Option<i64>, i64, Option<i64>, Option<i64>);

fn repository_sums(row: RepositoryRow) -> Result<RepositorySums> {
    let (
        id,
        project,
        name,
        created_at,
        filled,
        kept_manifests,
        manifests,
        kept_tags,
        tags,
        kept_pulls,
        pulls,
    ) = row;
    Ok(RepositorySums {
        repository: repository((id, project, name, created_at))?,
        manifests: Derived { kept: kept_manifests, actual: manifests },
        tags: Derived { kept: kept_tags, actual: tags },
        pulls: Derived { kept: kept_pulls, actual: pulls },
        filled: Derived { kept: filled, actual: manifests > 0 },
    })
}

fn project_blob((name, project, links, size, actual): ProjectBlobRow) -> Result<ProjectBlob> {
    let size = Derived { kept: size, actual: actual.unwrap_or(size) };
    Ok(ProjectBlob { digest: digest(&name)?, project: ProjectId(project), links, size })
}

fn project_blob_sums((name, kept, links, size, actual): ProjectBlobSumsRow) -> Result<ProjectBlobSums> {
    Ok(ProjectBlobSums {
        project: parse("the project's name", &name)?,
        links: Derived { kept: kept.unwrap_or(0), actual: links },
        size: Derived {
            kept: size.or(actual).unwrap_or_default(),
            actual: actual.or(size).unwrap_or_default(),
        },
    })
}

fn project_bytes((name, kept, actual): (String, i64, i64)) -> Result<ProjectBytes> {
    Ok(ProjectBytes { project: parse("the project's name", &name)?, bytes: Derived { kept, actual } })
}

/// What is to be added to the sum.
const fn lack(sum: Derived<i64>) -> i64 {
    sum.actual.saturating_sub(sum.kept)
}

#[async_trait]
impl SumReads for SqlMetadata {
    async fn repository_sums(&self, after: Option<RepositoryId>, limit: u32) -> Result<Vec<RepositorySums>> {
        let after = after.map_or(0, |after| after.0);
        let rows: Vec<RepositoryRow> = all!(self, REPOSITORY_SUMS, after, i64::from(limit));
        rows.into_iter().map(repository_sums).collect()
    }

    async fn project_blobs(
        &self,
        after: Option<&ProjectBlobPosition>,
        limit: u32,
    ) -> Result<Vec<ProjectBlob>> {
        let (after, project) =
            after.map_or((Vec::new(), 0), |after| (after.digest.to_bytes(), after.project.0));
        let rows: Vec<ProjectBlobRow> = all!(self, PROJECT_BLOBS, after, project, i64::from(limit));
        rows.into_iter().map(project_blob).collect()
    }

    async fn project_blob(&self, project: ProjectId, digest: &Digest) -> Result<Option<ProjectBlobSums>> {
        let row: Option<ProjectBlobSumsRow> =
            optional!(self, SUMS_OF_PROJECT_BLOB, project.0, digest.to_bytes());
        row.map(project_blob_sums).transpose()
    }

    async fn kept_bytes(&self, after: Option<ProjectId>, limit: u32) -> Result<Vec<(ProjectId, i64)>> {
        let after = after.map_or(0, |after| after.0);
        let rows: Vec<(i64, i64)> = all!(self, KEPT_BYTES, after, i64::from(limit));
        Ok(rows.into_iter().map(|(project, bytes)| (ProjectId(project), bytes)).collect())
    }

    async fn project_bytes(&self, project: ProjectId) -> Result<Option<ProjectBytes>> {
        let row: Option<(String, i64, i64)> = optional!(self, BYTES_OF_PROJECT, project.0);
        row.map(project_bytes).transpose()
    }
}

#[async_trait]
impl SumWrites for SqlTransaction {
    async fn derive_repository(&mut self, id: RepositoryId) -> Result<Option<RepositorySums>> {
        self.derive_alone().await?;
        let row: Option<RepositoryRow> = optional!(self, SUMS_OF_REPOSITORY, id.0);
        let Some(found) = row.map(repository_sums).transpose()? else { return Ok(None) };
        self.pending.count(Sum::RepositoryManifests, id.0, lack(found.manifests));
        self.pending.count(Sum::RepositoryTags, id.0, lack(found.tags));
        self.pending.count(Sum::RepositoryPulls, id.0, lack(found.pulls));
        if !found.filled.agrees() {
            self.refill(id).await?;
        }
        Ok(Some(found))
    }

    async fn derive_project_blob(
        &mut self,
        project: ProjectId,
        digest: &Digest,
    ) -> Result<Option<ProjectBlobSums>> {
        self.derive_alone().await?;
        let name = digest.to_bytes();
        execute!(self, HOLD_HOLDERS, project.0, &name);
        let row: Option<ProjectBlobSumsRow> = optional!(self, SUMS_OF_PROJECT_BLOB, project.0, &name);
        let Some(found) = row.map(project_blob_sums).transpose()? else { return Ok(None) };
        if !(found.links.agrees() && found.size.agrees()) {
            execute!(self, ADJUST_PROJECT_BLOB, &name, project.0, found.size.actual, lack(found.links));
        }
        Ok(Some(found))
    }

    async fn derive_project_bytes(&mut self, project: ProjectId) -> Result<Option<ProjectBytes>> {
        self.derive_alone().await?;
        let row: Option<(String, i64, i64)> = optional!(self, BYTES_OF_PROJECT, project.0);
        let Some(found) = row.map(project_bytes).transpose()? else { return Ok(None) };
        self.pending.count(Sum::ProjectBytes, project.0, lack(found.bytes));
        Ok(Some(found))
    }
}

impl SqlTransaction {
    /// Waits for whoever else derives something again, and keeps others from it until the transaction ends.
    pub(crate) async fn derive_alone(&mut self) -> Result<()> {
        execute!(self, LOCK_DERIVING);
        Ok(())
    }
}
