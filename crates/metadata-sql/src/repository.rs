//! Repositories.

use std::collections::BTreeSet;

use async_trait::async_trait;
use berth_domain::{Actor, Project, ProjectId, Repository, RepositoryId, Timestamp};
use berth_metadata::{
    CatalogScope, Deletion, Error, FoundRepository, RepositoryReads, RepositoryWrites, Result,
};
use berth_oci::RepositoryName;

use crate::SqlMetadata;
use crate::batch;
use crate::pending::{REVIEW_DELAY, Sum};
use crate::transaction::SqlTransaction;
use crate::value::{parse, time, unsigned};
use crate::window::within;

/// Repositories that are searched for, up to the list of projects.
macro_rules! found {
    () => {
        "SELECT r.name, r.project_id, p.public,
                (SELECT CAST(COALESCE(SUM(c.amount), 0) AS BIGINT) FROM counters c
                 WHERE c.kind = $7 AND c.owner_id = r.id) AS manifests,
                (SELECT CAST(COALESCE(SUM(c.amount), 0) AS BIGINT) FROM counters c
                 WHERE c.kind = $8 AND c.owner_id = r.id) AS pulls
         FROM repositories r JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL
         WHERE r.deleted_at IS NULL AND r.name > $5 AND lower(r.name) LIKE $4 ESCAPE '!'
         AND (CAST($1 AS BOOLEAN) OR (CAST($2 AS BOOLEAN) AND p.public) OR r.project_id IN ("
    };
}

/// What comes after it.
macro_rules! rest {
    () => {
        ")) AND r.filled ORDER BY r.name LIMIT $6"
    };
}

statements! {
    REPOSITORY = sql!(
        "SELECT id, project_id, name, created_at FROM repositories WHERE name = $1 AND deleted_at IS NULL"
    );
    /// The same, locked against deletion.
    HOLD_REPOSITORY = sql!(
        pg: "SELECT id, project_id, name, created_at FROM repositories WHERE name = $1 AND deleted_at IS NULL
             FOR KEY SHARE",
        lite: "SELECT id, project_id, name, created_at FROM repositories WHERE name = $1 AND deleted_at IS NULL",
    );
    /// The project of a new repository stays as long as the transaction goes on.
    LOCK_PROJECT_FOR_REPOSITORY = sql!(
        pg: "SELECT id FROM projects WHERE id = $1 AND deleted_at IS NULL FOR SHARE",
        lite: "SELECT id FROM projects WHERE id = $1 AND deleted_at IS NULL",
    );
    /// Gives no row if there is a live repository of that name.
    ADD_REPOSITORY = sql!(
        "INSERT INTO repositories (project_id, name, created_at, by_kind, by_id, by_name)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING
         RETURNING id, project_id, name, created_at"
    );
    CATALOG = sql!(
        "SELECT name FROM repositories WHERE filled AND deleted_at IS NULL AND name > $1 ORDER BY name LIMIT $2"
    );
    PUBLIC_PROJECTS = sql!("SELECT id FROM projects WHERE public AND deleted_at IS NULL");
    /// The first names of each project, then the first of all of them: the work grows with the projects asked for, not with those
    /// that exist.
    CATALOG_OF_PROJECTS = sql!(
        pg: "SELECT names.name FROM json_array_elements_text(CAST($1 AS json)) AS p
             CROSS JOIN LATERAL (
                 SELECT r.name FROM repositories r
                 WHERE r.project_id = CAST(p AS BIGINT) AND r.filled AND r.deleted_at IS NULL AND r.name > $2
                 ORDER BY r.name LIMIT $3
             ) AS names ORDER BY names.name LIMIT $3",
        lite: "SELECT n.name FROM json_each($1) AS p CROSS JOIN repositories n
               WHERE n.id IN (
                   SELECT r.id FROM repositories r
                   WHERE r.project_id = p.value AND r.filled AND r.deleted_at IS NULL AND r.name > $2
                   ORDER BY r.name LIMIT $3
               ) ORDER BY n.name LIMIT $3",
    );
    /// All of them if `$1`, else those of public projects if `$2`, and those of the projects `$3`. `$7` and `$8` are sums.
    FIND = sql!(
        pg: concat!(found!(), "SELECT CAST(e AS BIGINT) FROM json_array_elements_text(CAST($3 AS json)) AS e", rest!()),
        lite: concat!(found!(), "SELECT value FROM json_each($3)", rest!()),
    );
    /// Locked against deletion, like one that is looked up by its name.
    HOLD = sql!(
        pg: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE",
        lite: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL",
    );
    /// Locked against others that take manifests away, not against those that bring some.
    HOLD_TO_REMOVE = sql!(
        pg: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
        lite: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL",
    );
    /// In the index's order, so that it is read where there are many too.
    HAS_MANIFEST = sql!(
        "SELECT id FROM manifests WHERE repository_id = $1 AND deleted_at IS NULL ORDER BY digest LIMIT 1"
    );
    /// Writes nothing, and locks nothing, if it is filled already.
    FILL -> () = sql!("UPDATE repositories SET filled = TRUE WHERE id = $1 AND NOT filled");
    EMPTY = sql!("UPDATE repositories SET filled = FALSE WHERE id = $1");
    /// Locked alone: waits for those that add to the repository.
    LOCK_FOR_DELETION = sql!(
        pg: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL FOR UPDATE",
        lite: "SELECT id FROM repositories WHERE id = $1 AND deleted_at IS NULL",
    );
    DELETE_REPOSITORY = sql!("UPDATE repositories SET deleted_at = $2, deletion_id = $3 WHERE id = $1");
    /// Adds `$3` to the links of each blob that the repository holds; locked in the order in which pushes do, never in a circle.
    COUNT_LINKS_OF = sql!(
        pg: "UPDATE project_blobs AS b SET links = b.links + $3
             FROM (SELECT p.digest FROM project_blobs p
                   WHERE p.project_id = $1
                   AND p.digest IN (SELECT l.digest FROM blob_links l
                                    WHERE l.repository_id = $2 AND l.deleted_at IS NULL)
                   ORDER BY p.digest FOR NO KEY UPDATE OF p) AS locked
             WHERE b.project_id = $1 AND b.digest = locked.digest",
        lite: "UPDATE project_blobs SET links = links + $3
               WHERE project_id = $1
               AND digest IN (SELECT l.digest FROM blob_links l WHERE l.repository_id = $2 AND l.deleted_at IS NULL)",
    );
    /// Bytes of the blobs that the repository holds and the project has by `$3` links.
    BYTES_OF = sql!(
        "SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM project_blobs b
         WHERE b.project_id = $1 AND b.links = $3
         AND b.digest IN (SELECT l.digest FROM blob_links l WHERE l.repository_id = $2 AND l.deleted_at IS NULL)"
    );
    REVIEW_BLOBS_OF = sql!(
        "INSERT INTO review_queue (digest, repository_id, review_after)
         SELECT l.digest, 0, CAST($2 AS BIGINT) FROM blob_links l
         WHERE l.repository_id = $1 AND l.deleted_at IS NULL ORDER BY l.digest
         ON CONFLICT (digest, repository_id) DO UPDATE SET review_after = excluded.review_after"
    );
    REVIEW_MANIFESTS_OF = sql!(
        "INSERT INTO review_queue (digest, repository_id, review_after)
         SELECT m.digest, m.repository_id, CAST($2 AS BIGINT) FROM manifests m
         WHERE m.repository_id = $1 AND m.deleted_at IS NULL ORDER BY m.digest
         ON CONFLICT (digest, repository_id) DO UPDATE SET review_after = excluded.review_after"
    );
}

/// A repository's columns.
pub(crate) type Row = (i64, i64, String, i64);

/// Reads a repository.
pub(crate) fn repository((id, project_id, name, created_at): Row) -> Result<Repository> {
    Ok(Repository {
        id: RepositoryId(id),
        project_id: ProjectId(project_id),
        name: parse("the repository's name", &name)?,
        created_at: time(created_at),
    })
}

type FoundRow = (String, i64, bool, i64, i64);

fn found((name, project, public, manifests, pulls): FoundRow) -> Result<FoundRepository> {
    Ok(FoundRepository {
        name: parse("the repository's name", &name)?,
        project: ProjectId(project),
        public,
        manifests: unsigned(manifests)?,
        pulls: unsigned(pulls)?,
    })
}

#[async_trait]
impl RepositoryReads for SqlMetadata {
    async fn repository(&self, name: &RepositoryName) -> Result<Option<Repository>> {
        let row: Option<Row> = optional!(self, REPOSITORY, name.as_str());
        row.map(repository).transpose()
    }

    async fn repositories(
        &self,
        scope: &CatalogScope,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<RepositoryName>> {
        let (after, limit) = (after.unwrap_or_default(), i64::from(limit));
        let rows: Vec<(String,)> = match scope {
            CatalogScope::All => all!(self, CATALOG, after, limit),
            CatalogScope::Projects(projects) => {
                let projects = batch::numbers(projects.iter().map(|project| project.0));
                all!(self, CATALOG_OF_PROJECTS, &projects, after, limit)
            }
            CatalogScope::PublicAnd(projects) => {
                let public: Vec<(i64,)> = all!(self, PUBLIC_PROJECTS);
                let all = projects.iter().map(|project| project.0).chain(public.into_iter().map(|(id,)| id));
                let projects = batch::numbers(all.collect::<BTreeSet<_>>());
                all!(self, CATALOG_OF_PROJECTS, &projects, after, limit)
            }
        };
        rows.iter().map(|(name,)| parse("the repository's name", name)).collect()
    }

    async fn find_repositories(
        &self,
        scope: &CatalogScope,
        within_it: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<FoundRepository>> {
        let (all, public, projects): (_, _, &[ProjectId]) = match scope {
            CatalogScope::All => (true, true, &[]),
            CatalogScope::Projects(projects) => (false, false, projects),
            CatalogScope::PublicAnd(projects) => (false, true, projects),
        };
        let rows: Vec<FoundRow> = all!(
            self,
            FIND,
            all,
            public,
            batch::numbers(projects.iter().map(|project| project.0)),
            within(within_it),
            after.unwrap_or_default(),
            i64::from(limit),
            Sum::RepositoryManifests as i16,
            Sum::RepositoryPulls as i16
        );
        rows.into_iter().map(found).collect()
    }
}

#[async_trait]
impl RepositoryWrites for SqlTransaction {
    async fn hold_repository(&mut self, name: &RepositoryName) -> Result<Option<Repository>> {
        let row: Option<Row> = optional!(self, HOLD_REPOSITORY, name.as_str());
        self.note_held(row)
    }

    async fn ensure_repository(
        &mut self,
        project: &Project,
        name: &RepositoryName,
        by: &Actor,
        at: Timestamp,
    ) -> Result<Repository> {
        if let Some(repository) = self.hold_repository(name).await? {
            return Ok(repository);
        }
        let project_lives: Option<(i64,)> = optional!(self, LOCK_PROJECT_FOR_REPOSITORY, project.id.0);
        project_lives.ok_or(Error::Conflict)?;
        let (kind, at) = (by.kind.as_str(), at.as_micros());
        let row: Option<Row> =
            optional!(self, ADD_REPOSITORY, project.id.0, name.as_str(), at, kind, by.id, &by.name);
        if let Some(repository) = row.map(repository).transpose()? {
            self.held.insert(repository.id.0);
            return Ok(repository);
        }
        // Another transaction made it between the two statements.
        self.hold_repository(name).await?.ok_or(Error::Conflict)
    }

    async fn delete_repository(&mut self, repository: &Repository, deletion: &Deletion) -> Result<bool> {
        let locked: Option<(i64,)> = optional!(self, LOCK_FOR_DELETION, repository.id.0);
        if locked.is_none() {
            return Ok(false);
        }
        self.note_deletion(deletion).await?;
        self.note_content(repository.project_id, repository.id, -1, deletion.at).await?;
        let id = deletion.id.0.as_bytes().as_slice();
        execute!(self, DELETE_REPOSITORY, repository.id.0, deletion.at.as_micros(), id);
        self.held.remove(&repository.id.0);
        Ok(true)
    }
}

impl SqlTransaction {
    /// Reads a repository that is locked against deletion, if it is there, and notes that this transaction holds it.
    pub(crate) fn note_held(&mut self, row: Option<Row>) -> Result<Option<Repository>> {
        let repository = row.map(repository).transpose()?;
        self.held.extend(repository.as_ref().map(|repository| repository.id.0));
        Ok(repository)
    }

    /// Keeps the repository from being deleted until this transaction ends. Whether it lives.
    ///
    /// Whatever counts something in a repository asks this first: after the deletion, which takes all of its counts away, nothing
    /// may change them.
    pub(crate) async fn hold(&mut self, repository: RepositoryId) -> Result<bool> {
        if self.held.contains(&repository.0) {
            return Ok(true);
        }
        let lives: Option<(i64,)> = optional!(self, HOLD, repository.0);
        if lives.is_some() {
            self.held.insert(repository.0);
        }
        Ok(lives.is_some())
    }

    /// The same for those who cannot go on without it.
    pub(crate) async fn hold_to_add(&mut self, repository: RepositoryId) -> Result<()> {
        if self.hold(repository).await? { Ok(()) } else { Err(Error::Conflict) }
    }

    /// The same for those who take manifests away: one of them at a time.
    pub(crate) async fn hold_to_remove(&mut self, repository: RepositoryId) -> Result<bool> {
        let lives: Option<(i64,)> = optional!(self, HOLD_TO_REMOVE, repository.0);
        Ok(lives.is_some())
    }

    /// A manifest came into the repository, which is held.
    pub(crate) async fn fill(&mut self, repository: RepositoryId) -> Result<()> {
        later!(self, FILL, repository.0);
        Ok(())
    }

    /// A manifest went out of the repository, which is held for that. Only if it seems to be the last one, those are waited for
    /// who may be bringing another, and then it is looked again.
    pub(crate) async fn empty(&mut self, repository: RepositoryId) -> Result<()> {
        if self.has_manifest(repository).await? {
            return Ok(());
        }
        let _: Option<(i64,)> = optional!(self, LOCK_FOR_DELETION, repository.0);
        if !self.has_manifest(repository).await? {
            execute!(self, EMPTY, repository.0);
        }
        Ok(())
    }

    /// Looks again, alone with the repository, whether it has a manifest.
    pub(crate) async fn refill(&mut self, repository: RepositoryId) -> Result<()> {
        let _: Option<(i64,)> = optional!(self, LOCK_FOR_DELETION, repository.0);
        if self.has_manifest(repository).await? {
            return self.fill(repository).await;
        }
        execute!(self, EMPTY, repository.0);
        Ok(())
    }

    async fn has_manifest(&mut self, repository: RepositoryId) -> Result<bool> {
        let one: Option<(i64,)> = optional!(self, HAS_MANIFEST, repository.0);
        Ok(one.is_some())
    }

    /// The whole repository came (1) or went (-1). What others write too is locked in the order in which a commit writes it.
    pub(crate) async fn note_content(
        &mut self,
        project: ProjectId,
        repository: RepositoryId,
        change: i64,
        at: Timestamp,
    ) -> Result<()> {
        self.review_content(repository, at).await?;
        self.count_content(project, repository, change).await
    }

    /// Adds (1) or takes (-1) the whole repository's blobs to or from its project's usage.
    async fn count_content(
        &mut self,
        project: ProjectId,
        repository: RepositoryId,
        change: i64,
    ) -> Result<()> {
        execute!(self, COUNT_LINKS_OF, project.0, repository.0, change);
        // A blob counts by its first link: it came with the one that made one of none, and went with the one that made none of one.
        let now = i64::from(change > 0);
        let (bytes,): (i64,) = one!(self, BYTES_OF, project.0, repository.0, now);
        self.pending.count(Sum::ProjectBytes, project.0, change.signum() * bytes);
        Ok(())
    }

    /// Puts the whole repository into the review queue.
    async fn review_content(&mut self, repository: RepositoryId, at: Timestamp) -> Result<()> {
        let after = at.plus(REVIEW_DELAY).as_micros();
        execute!(self, REVIEW_BLOBS_OF, repository.0, after);
        execute!(self, REVIEW_MANIFESTS_OF, repository.0, after);
        Ok(())
    }
}
