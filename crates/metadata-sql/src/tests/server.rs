//! PostgreSQL: what only a server can do.

use berth_metadata::{Error, Metadata as _, SettingWrites as _, Transaction};
use berth_testkit::Postgres;

use crate::{OpenError, Opening, Schema, SqlMetadata};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_start_together() {
    let url = Postgres::shared().new_database();
    let starts = (0..4).map(|_| SqlMetadata::open_postgres(&url, 2));
    for started in futures::future::join_all(starts).await {
        started.unwrap().check().await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let server = Postgres::shared();
    let url = server.new_database();
    SqlMetadata::open_postgres(&url, 1).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (999, 'of a later release', TRUE, '', 0)";
    server.sql(database(&url), newer);
    let refused = SqlMetadata::open_postgres(&url, 1).await;
    assert!(matches!(refused, Err(OpenError::Newer { version: 999 })), "{refused:?}");
}

#[tokio::test]
async fn an_older_schema_is_left_as_it_is_where_that_is_asked() {
    let server = Postgres::shared();
    let url = server.new_database();
    let as_it_is = Opening { connections: Some(1), schema: Schema::AsItIs, ..Opening::default() };
    let refused = SqlMetadata::open_postgres_with(&url, as_it_is).await;
    assert!(matches!(refused, Err(OpenError::Older { version: 0, .. })), "{refused:?}");
    SqlMetadata::open_postgres(&url, 1).await.unwrap().close().await;
    SqlMetadata::open_postgres_with(&url, as_it_is).await.unwrap().close().await;
}

/// The database of a URL that the test's server gave.
fn database(url: &str) -> &str {
    url.split(['/', '?']).nth(3).unwrap()
}

/// Ends every connection to the database, as a failover does.
fn disconnect(server: &Postgres, url: &str) {
    let kill = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = '{}' AND pid <> pg_backend_pid()",
        database(url)
    );
    server.sql("postgres", &kill);
}

#[tokio::test]
async fn what_cannot_be_reached_is_said() {
    let wrong = SqlMetadata::open_postgres("postgres://[", 1).await;
    assert!(matches!(wrong, Err(OpenError::Url(_))), "{wrong:?}");
    let nobody = SqlMetadata::open_postgres("postgres://nobody@127.0.0.1:1/x", 1).await;
    assert!(matches!(nobody, Err(OpenError::Connect(_))), "{nobody:?}");
    let missing = SqlMetadata::open_postgres(&Postgres::shared().url("no_such_database"), 1).await;
    assert!(matches!(missing, Err(OpenError::Connect(_))), "{missing:?}");
}

#[tokio::test]
async fn commits_are_durable_whatever_the_role_says() {
    let server = Postgres::shared();
    let url = server.new_database();
    let careless = format!("ALTER DATABASE {} SET synchronous_commit = off", database(&url));
    server.sql("postgres", &careless);
    let metadata = SqlMetadata::open_postgres(&url, 1).await.unwrap();
    let crate::database::Pools::Postgres(pool) = &metadata.pools else { panic!("it is PostgreSQL") };
    let said: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(pool).await.unwrap();
    assert_eq!(said, "on");
}

#[tokio::test]
async fn a_standby_is_told_from_a_failure() {
    let server = Postgres::shared();
    let url = server.new_database();
    let metadata = SqlMetadata::open_postgres(&url, 1).await.unwrap();
    let read_only = format!("ALTER DATABASE {} SET default_transaction_read_only = on", database(&url));
    server.sql("postgres", &read_only);
    disconnect(server, &url);
    // The first call finds out that its connection is dead.
    assert!(matches!(metadata.check().await, Err(Error::Unavailable(_))));
    metadata.check().await.unwrap();
    let mut tx = metadata.transaction().await.unwrap();
    let refused = tx.ensure_setting("x", b"1").await;
    assert!(matches!(refused, Err(Error::ReadOnly(_))), "{refused:?}");
}

#[tokio::test]
async fn broken_connections_are_replaced() {
    let server = Postgres::shared();
    let url = server.new_database();
    let metadata = SqlMetadata::open_postgres(&url, 2).await.unwrap();
    let mut tx = metadata.transaction().await.unwrap();
    tx.ensure_setting("x", b"1").await.unwrap();
    disconnect(server, &url);
    let lost = Box::new(tx).commit().await;
    assert!(matches!(lost, Err(Error::Unavailable(_))), "{lost:?}");
    // Each dead connection can fail one call, and there were two at most.
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(metadata.check().await);
    }
    assert!(answers[2].is_ok(), "{answers:?}");
    let mut tx = metadata.transaction().await.unwrap();
    assert_eq!(&*tx.ensure_setting("x", b"2").await.unwrap(), b"2");
    Box::new(tx).commit().await.unwrap();
    let copied = metadata.backup_sqlite(std::path::Path::new("/nowhere")).await;
    assert!(matches!(copied, Err(OpenError::NotEmbedded)), "{copied:?}");
}
