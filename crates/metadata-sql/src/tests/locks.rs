//! PostgreSQL: in which order rows are locked that many write.

use berth_domain::{Actor, DeletionId};
use berth_metadata::{Deletion, Metadata as _, NewManifest};
use berth_oci::{Digest, Manifest};
use berth_testkit::Postgres;
use bytes::Bytes;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{NOW, push, repository};
use crate::SqlMetadata;

/// How many blobs the repository has.
const BLOBS: usize = 40;

/// Whoever waits for a lock.
const WAITING: &str =
    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

async fn rows(connection: &mut PgConnection, text: &str) -> usize {
    sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(connection).await.unwrap().len()
}

/// Ends when somebody waits for a lock.
async fn somebody_waits(url: &str) {
    // A connection of its own: within a transaction everybody's state stays as it was first seen.
    let mut onlooker = PgConnection::connect(url).await.unwrap();
    while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut onlooker).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

/// Deletes a repository while somebody holds the row that `held` selects; how many blobs of the project are free meanwhile.
async fn free_while_a_deletion_waits_for(held: &str) -> usize {
    let url = Postgres::shared().new_database();
    let metadata = SqlMetadata::open_postgres(&url, 2).await.unwrap();
    let (_, repository) = repository(&metadata).await;
    for n in 0..BLOBS {
        push(&metadata, &repository, &format!("blob {n}")).await.unwrap();
    }
    let mut holder = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut holder).await.unwrap();
    assert_eq!(rows(&mut holder, held).await, 1);
    let deletion = tokio::spawn(async move {
        let act = Deletion { id: DeletionId(uuid::Uuid::from_u128(1)), by: Actor::system(), at: NOW };
        let mut tx = metadata.begin().await.unwrap();
        assert!(tx.delete_repository(&repository, &act).await.unwrap());
        tx.commit().await.unwrap();
    });
    somebody_waits(&url).await;
    let free = rows(&mut holder, "SELECT digest FROM project_blobs FOR UPDATE SKIP LOCKED").await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    deletion.await.unwrap();
    free
}

/// A push locks them in this order too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_locks_the_projects_blobs_by_digest() {
    let first = "SELECT digest FROM project_blobs ORDER BY digest LIMIT 1 FOR UPDATE";
    assert_eq!(free_while_a_deletion_waits_for(first).await, BLOBS);
}

/// A push holds its reviews when it counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_queues_reviews_before_it_counts() {
    let last = "SELECT digest FROM review_queue ORDER BY digest DESC LIMIT 1 FOR UPDATE";
    assert_eq!(free_while_a_deletion_waits_for(last).await, BLOBS);
}

/// The rows that tell the deletion who needs the blob are being written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deletion_of_a_blob_waits_for_rows_that_are_derived() {
    let url = Postgres::shared().new_database();
    let metadata = SqlMetadata::open_postgres(&url, 3).await.unwrap();
    let (_, repository) = repository(&metadata).await;
    let layer = push(&metadata, &repository, "layer").await.unwrap();
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
            "config":{{"mediaType":"a/b","digest":"{layer}","size":5}},"layers":[]}}"#
    );
    let content = Bytes::from(content);
    let (manifest, digest) = (Manifest::parse(&content, None).unwrap(), Digest::sha256(&content));
    let new = NewManifest { digest, content: &content, manifest: &manifest };
    let mut tx = metadata.begin().await.unwrap();
    tx.add_manifest(&repository, &new, &Actor::system(), NOW).await.unwrap();
    tx.commit().await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("DELETE FROM manifest_references").execute(&mut connection).await.unwrap();

    let mut tx = metadata.begin().await.unwrap();
    assert!(tx.derive_references(&repository, &new, NOW).await.unwrap().is_some());
    let mut deletion = tokio::spawn(async move {
        let mut tx = metadata.begin().await.unwrap();
        tx.lock_blob_users(repository.id, &layer, 5).await.unwrap()
    });
    tokio::select! {
        users = &mut deletion => panic!("it did not wait: {users:?}"),
        () = somebody_waits(&url) => {}
    }
    tx.commit().await.unwrap();
    assert_eq!(deletion.await.unwrap(), Some(vec![digest]));
}
