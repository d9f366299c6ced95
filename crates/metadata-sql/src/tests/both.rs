//! What holds on both databases and cannot be seen through the port: sums agree with the rows, and a failed transaction stays failed.

use berth_domain::{Actor, Timestamp};
use berth_metadata::{
    DeletionWrites as _, Error, Metadata as _, ProjectReads as _, Pull, SettingWrites as _, Transaction,
    conformance,
};
use berth_oci::{Digest, Manifest};
use berth_testkit::Postgres;
use bytes::Bytes;
use tempfile::TempDir;

use super::{CONNECTIONS, NOW, embedded, is_there, push, repository};
use crate::SqlMetadata;
use crate::database::Pools;
use crate::project::deletion_of;
use crate::sqlite::READERS;
use crate::statement::{Statement, on_any};
use crate::transaction::SqlTransaction;

/// Projects whose counted bytes are not what their blobs have.
const WRONG_BYTES: Statement = on_any("SELECT p.id, CAST(COALESCE((SELECT SUM(b.size) FROM project_blobs b WHERE b.project_id = p.id AND b.links > 0), 0) AS BIGINT),
                CAST(COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 1 AND c.owner_id = p.id), 0) AS BIGINT)
         FROM projects p
         WHERE COALESCE((SELECT SUM(b.size) FROM project_blobs b WHERE b.project_id = p.id AND b.links > 0), 0)
            <> COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 1 AND c.owner_id = p.id), 0)");
/// Blobs of projects that are not linked as often as it says.
const WRONG_LINKS: Statement = on_any(
    "SELECT b.project_id, b.links,
                (SELECT COUNT(*) FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                 WHERE l.digest = b.digest AND r.project_id = b.project_id
                 AND l.deleted_at IS NULL AND r.deleted_at IS NULL)
         FROM project_blobs b
         WHERE b.links <> (SELECT COUNT(*) FROM blob_links l JOIN repositories r ON r.id = l.repository_id
                           WHERE l.digest = b.digest AND r.project_id = b.project_id
                           AND l.deleted_at IS NULL AND r.deleted_at IS NULL)",
);
/// Repositories whose counted manifests are not those that live.
const WRONG_MANIFESTS: Statement = on_any("SELECT r.id, CAST(COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 2 AND c.owner_id = r.id), 0) AS BIGINT),
                (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL)
         FROM repositories r
         WHERE COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 2 AND c.owner_id = r.id), 0)
            <> (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = r.id AND m.deleted_at IS NULL)");
/// Repositories whose counted tags are not those that live.
const WRONG_TAGS: Statement = on_any("SELECT r.id, CAST(COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 3 AND c.owner_id = r.id), 0) AS BIGINT),
                (SELECT COUNT(*) FROM tags t WHERE t.repository_id = r.id AND t.deleted_at IS NULL)
         FROM repositories r
         WHERE COALESCE((SELECT SUM(c.amount) FROM counters c WHERE c.kind = 3 AND c.owner_id = r.id), 0)
            <> (SELECT COUNT(*) FROM tags t WHERE t.repository_id = r.id AND t.deleted_at IS NULL)");
const NO_SUCH_COLUMN: Statement = on_any("SELECT id, nothing FROM projects");
const SET: Statement =
    Statement { gives_rows: false, ..on_any("INSERT INTO settings (name, value) VALUES ($1, $2)") };
const UNSET: Statement = on_any("DELETE FROM settings WHERE name = $1");
const REVIVE: Statement = Statement {
    gives_rows: false,
    ..on_any("UPDATE projects SET deleted_at = NULL, deletion_id = NULL WHERE id = $1")
};
const PULLS: Statement = on_any("SELECT pull_count, pulled_at FROM manifest_pulls");
const PULLS_OF_ALL: Statement = on_any("SELECT CAST(SUM(amount) AS BIGINT) FROM counters WHERE kind = 4");

on_both!(
    keeps_every_promise_and_counts_right,
    a_failed_transaction_cannot_commit,
    what_waits_comes_before_the_next_statement,
    what_waits_fails_at_the_latest_with_the_commit,
    pulls_add_up,
    those_who_wait_for_a_connection_are_counted,
    what_went_with_a_project_comes_back_by_the_same_act,
);

async fn keeps_every_promise_and_counts_right(metadata: SqlMetadata) {
    conformance::run(&metadata).await;
    let wrong = async |statement: Statement| -> Vec<(i64, i64, i64)> {
        let count = async || -> berth_metadata::Result<_> { Ok(all!(metadata, statement)) };
        count().await.unwrap()
    };
    for statement in [WRONG_BYTES, WRONG_LINKS, WRONG_MANIFESTS, WRONG_TAGS] {
        assert_eq!(wrong(statement).await, [], "{}", statement.name);
    }
    metadata.close().await;
    let closed = metadata.transaction().await.map(drop);
    assert!(matches!(closed, Err(Error::Unavailable(_))), "{closed:?}");
}

async fn a_failed_transaction_cannot_commit(metadata: SqlMetadata) {
    let mut tx = metadata.transaction().await.unwrap();
    tx.ensure_setting("before", b"1").await.unwrap();
    let wrong = async |tx: &mut SqlTransaction| -> berth_metadata::Result<()> {
        let _: Option<(i64,)> = optional!(tx, NO_SUCH_COLUMN);
        Ok(())
    };
    assert!(wrong(&mut tx).await.is_err());
    assert!(tx.ensure_setting("after", b"1").await.is_err());
    let refused = Box::new(tx).commit().await;
    assert!(matches!(refused, Err(Error::Backend(_))), "{refused:?}");

    let mut tx = metadata.transaction().await.unwrap();
    assert_eq!(&*tx.ensure_setting("before", b"2").await.unwrap(), b"2");
    Box::new(tx).commit().await.unwrap();
}

async fn what_waits_comes_before_the_next_statement(metadata: SqlMetadata) {
    let mut tx = metadata.transaction().await.unwrap();
    let act = async |tx: &mut SqlTransaction| -> berth_metadata::Result<_> {
        later!(tx, SET, "first", b"1".as_slice());
        later!(tx, SET, "second", b"2".as_slice());
        // Only the rows of the statement that is asked count.
        let unset = execute!(tx, UNSET, "first");
        later!(tx, SET, "third", b"3".as_slice());
        Ok((unset, tx.ensure_setting("second", b"4").await?))
    };
    let (unset, second) = act(&mut tx).await.unwrap();
    assert_eq!((unset, &*second), (1, b"2".as_slice()));
    Box::new(tx).commit().await.unwrap();
    let mut tx = metadata.transaction().await.unwrap();
    assert_eq!(&*tx.ensure_setting("first", b"5").await.unwrap(), b"5");
    assert_eq!(&*tx.ensure_setting("third", b"6").await.unwrap(), b"3");
}

async fn what_waits_fails_at_the_latest_with_the_commit(metadata: SqlMetadata) {
    let mut tx = metadata.transaction().await.unwrap();
    tx.ensure_setting("before", b"1").await.unwrap();
    let twice = async |tx: &mut SqlTransaction| -> berth_metadata::Result<()> {
        later!(tx, SET, "twice", b"1".as_slice());
        later!(tx, SET, "twice", b"2".as_slice());
        Ok(())
    };
    let outcome = match twice(&mut tx).await {
        Ok(()) => Box::new(tx).commit().await,
        failed => failed,
    };
    assert!(matches!(outcome, Err(Error::Conflict)), "{outcome:?}");
    let mut tx = metadata.transaction().await.unwrap();
    assert_eq!(&*tx.ensure_setting("before", b"3").await.unwrap(), b"3");
    assert_eq!(&*tx.ensure_setting("twice", b"3").await.unwrap(), b"3");
    Box::new(tx).commit().await.unwrap();
}

async fn pulls_add_up(metadata: SqlMetadata) {
    let (_, repository) = repository(&metadata).await;
    let content = Bytes::from_static(
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    );
    let manifest = Manifest::parse(&content, None).unwrap();
    let digest = Digest::sha256(&content);
    let pull = |count, micros| Pull {
        repository: repository.id,
        digest,
        count,
        last_at: Timestamp::from_micros(micros),
    };
    let mut tx: Box<dyn Transaction> = Box::new(metadata.transaction().await.unwrap());
    let new = berth_metadata::NewManifest { digest, content: &content, manifest: &manifest };
    tx.add_manifest(&repository, &new, &Actor::system(), NOW).await.unwrap();
    tx.record_pulls(&[pull(3, 50), pull(4, 70), pull(1, 60)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx: Box<dyn Transaction> = Box::new(metadata.transaction().await.unwrap());
    tx.record_pulls(&[pull(2, 40)]).await.unwrap();
    tx.commit().await.unwrap();
    let read = async || -> berth_metadata::Result<((i64, i64), (i64,))> {
        Ok((one!(metadata, PULLS), one!(metadata, PULLS_OF_ALL)))
    };
    assert_eq!(read().await.unwrap(), ((10, 70), (10,)));
}

/// Every connection that statements run on, and the writer's turn: whoever comes now waits.
async fn all_taken(metadata: &SqlMetadata) -> Vec<Box<dyn Send>> {
    let mut taken: Vec<Box<dyn Send>> = Vec::new();
    match &metadata.pools {
        Pools::Postgres(pool) => {
            for _ in 0..CONNECTIONS {
                taken.push(Box::new(pool.acquire().await.unwrap()));
            }
        }
        Pools::Lite(lite) => {
            for _ in 0..READERS {
                taken.push(Box::new(lite.readers().acquire().await.unwrap()));
            }
            taken.push(Box::new(lite.begin().await.unwrap()));
        }
    }
    taken
}

async fn those_who_wait_for_a_connection_are_counted(metadata: SqlMetadata) {
    let until_waiting = async |number| {
        while metadata.load().waiting != number {
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(metadata.load().waiting, 0);
    let taken = all_taken(&metadata).await;
    assert_eq!(metadata.load().waiting, 0, "who has one does not wait");
    let check = || {
        let metadata = metadata.clone();
        tokio::spawn(async move { metadata.check().await })
    };
    let (first, gives_up) = (check(), check());
    until_waiting(2).await;
    let begin = tokio::spawn({
        let metadata = metadata.clone();
        async move { metadata.begin().await.map(drop) }
    });
    until_waiting(3).await;
    gives_up.abort();
    until_waiting(2).await;
    drop(taken);
    first.await.unwrap().unwrap();
    begin.await.unwrap().unwrap();
    assert_eq!(metadata.load().waiting, 0);
}

/// Nobody takes the deletion of a project back yet; what a use case will have to find is there.
async fn what_went_with_a_project_comes_back_by_the_same_act(metadata: SqlMetadata) {
    let (project, repository) = repository(&metadata).await;
    push(&metadata, &repository, "without a manifest").await.unwrap();
    let by = Actor::system();
    let mut tx = metadata.begin().await.unwrap();
    let gone = tx.delete_empty_project(project.id, &by, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone.as_deref(), Some(std::slice::from_ref(&repository.name)));
    assert!(!is_there(&metadata, &repository, "without a manifest").await);
    assert_eq!(metadata.project_usage(project.id).await.unwrap(), 0);

    let mut tx = metadata.transaction().await.unwrap();
    let revive = async |tx: &mut SqlTransaction| -> berth_metadata::Result<_> {
        Ok(execute!(tx, REVIVE, project.id.0))
    };
    assert_eq!(revive(&mut tx).await.unwrap(), 1);
    let restored = tx.restore(&repository.name, deletion_of(project.id), &by, NOW).await.unwrap();
    assert_eq!(restored.repositories, 1);
    Box::new(tx).commit().await.unwrap();
    assert!(is_there(&metadata, &repository, "without a manifest").await);
    assert_eq!(metadata.project_usage(project.id).await.unwrap(), 18);
}
