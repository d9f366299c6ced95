//! SQLite: what only a file can do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use berth_domain::DeletionId;
use berth_metadata::{
    DeletionReads as _, Error, Metadata as _, ProjectReads as _, Restoration, SettingReads as _,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::{embedded, is_there, push, repository};
use crate::{OpenError, Opening, Schema, SqlMetadata, sqlite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_is_private_and_so_is_its_copy() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    push(&metadata, &repository(&metadata).await.1, "x").await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for name in ["berth.db", "berth.db-wal", "berth.db-shm"] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
    let copy = directory.path().join("copy.db");
    metadata.backup_sqlite(&copy).await.unwrap();
    assert_eq!(mode(&copy), 0o600);
    let again = metadata.backup_sqlite(&copy).await;
    assert!(matches!(again, Err(OpenError::Backup { .. })), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_one_moment_and_nothing_open() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (project, repository) = repository(&metadata).await;
    push(&metadata, &repository, "before").await.unwrap();
    let mut tx = metadata.begin().await.unwrap();
    let open = super::blob("open");
    tx.add_blob(&open, super::NOW).await.unwrap();
    let copy = directory.path().join("copy.db");
    metadata.backup_sqlite(&copy).await.unwrap();
    tx.commit().await.unwrap();
    push(&metadata, &repository, "after").await.unwrap();

    let copy = SqlMetadata::open_sqlite(&copy).await.unwrap();
    assert!(is_there(&copy, &repository, "before").await);
    assert!(!is_there(&copy, &repository, "after").await);
    assert_eq!(copy.project_usage(project.id).await.unwrap(), 6);
    push(&copy, &repository, "in the copy").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_what_nobody_writes_has_what_the_log_holds() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    push(&metadata, &repository, "in the log").await.unwrap();
    let (original, copy) = (directory.path().join("berth.db"), directory.path().join("copy.db"));
    assert!(sqlite::log(&original).metadata().unwrap().len() > 0);
    SqlMetadata::copy_sqlite_at_rest(&original, &copy).await.unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let copied = SqlMetadata::open_sqlite(&copy).await.unwrap();
    assert!(is_there(&copied, &repository, "in the log").await);
    let again = SqlMetadata::copy_sqlite_at_rest(&original, &copy).await;
    assert!(matches!(again, Err(OpenError::Backup { .. })), "{again:?}");
}

#[tokio::test]
async fn a_copy_is_brought_up_to_date_and_the_original_stays_as_it_is() {
    let directory = TempDir::new().unwrap();
    let (original, copy) = (directory.path().join("berth.db"), directory.path().join("copy.db"));
    let mut connection = sqlite::writer(&original).create_if_missing(true).connect().await.unwrap();
    let first = crate::open::LITE.iter().take(1).cloned().collect();
    sqlx::migrate::Migrator::with_migrations(first).run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let bytes = fs::read(&original).unwrap();
    SqlMetadata::copy_sqlite_at_rest(&original, &copy).await.unwrap();
    SqlMetadata::open_sqlite(&copy).await.unwrap().close().await;
    SqlMetadata::open_sqlite_with(&copy, as_it_is()).await.unwrap();
    assert!(fs::read(&original).unwrap() == bytes);
    let refused = SqlMetadata::open_sqlite_with(&original, as_it_is()).await;
    assert!(matches!(refused, Err(OpenError::Older { version: 1, .. })), "{refused:?}");
}

/// It was taken back before anybody wrote down by whom.
#[tokio::test]
async fn an_earlier_restoration_is_nobodys() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("berth.db");
    let mut connection = sqlite::writer(&path).create_if_missing(true).connect().await.unwrap();
    let earlier = crate::open::LITE.iter().take(3).cloned().collect();
    sqlx::migrate::Migrator::with_migrations(earlier).run(&mut connection).await.unwrap();
    let restored = "INSERT INTO deletions (id, deleted_at, by_kind, by_id, by_name, restored_at)
                    VALUES (zeroblob(16), 1, 'system', 0, 'berth', 2)";
    sqlx::query(restored).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let metadata = embedded(&directory).await;
    let remembered = metadata.deletion(DeletionId(uuid::Uuid::nil())).await.unwrap().unwrap();
    let at = berth_domain::Timestamp::from_micros(2);
    assert_eq!(remembered.restoration, Some(Restoration { by: None, at }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_leaves_one_file() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    push(&metadata, &repository, "x").await.unwrap();
    metadata.close().await;
    metadata.close().await;
    let files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["berth.db"]);
    let metadata = embedded(&directory).await;
    assert!(is_there(&metadata, &repository, "x").await);
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("berth.db");
    fs::write(
        &path,
        "this is a text, and longer than a header of SQLite, which has one hundred bytes: so it goes on",
    )
    .unwrap();
    assert!(SqlMetadata::open_sqlite(&path).await.is_err());
    let nowhere = SqlMetadata::open_sqlite(&directory.path().join("no/such/directory.db")).await;
    assert!(matches!(nowhere, Err(OpenError::File { .. })), "{nowhere:?}");
}

#[tokio::test]
async fn another_schema_is_refused() {
    let directory = TempDir::new().unwrap();
    embedded(&directory).await.close().await;
    let path = directory.path().join("berth.db");
    let mut connection = sqlite::writer(&path).connect().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (999, 'of a later release', TRUE, X'', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    let refused = SqlMetadata::open_sqlite(&path).await;
    assert!(matches!(refused, Err(OpenError::Newer { version: 999 })), "{refused:?}");
    let changed = "DELETE FROM _sqlx_migrations WHERE version = 999;
                   UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 1";
    sqlx::raw_sql(changed).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let refused = SqlMetadata::open_sqlite(&path).await;
    assert!(matches!(refused, Err(OpenError::Changed { version: 1 })), "{refused:?}");
}

#[tokio::test]
async fn a_frozen_file_is_read_and_nothing_is_written_beside_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("berth.db");
    let metadata = SqlMetadata::open_sqlite(&path).await.unwrap();
    let mut tx = metadata.begin().await.unwrap();
    tx.ensure_setting("frozen", b"in").await.unwrap();
    tx.commit().await.unwrap();
    let frozen = || Opening { schema: Schema::Frozen, ..Opening::default() };
    // What was committed is still in the log.
    let refused = SqlMetadata::open_sqlite_with(&path, frozen()).await;
    assert!(matches!(refused, Err(OpenError::Unmerged { .. })), "{refused:?}");
    metadata.close().await;
    let frozen = SqlMetadata::open_sqlite_with(&path, frozen()).await.unwrap();
    assert_eq!(frozen.setting("frozen").await.unwrap().as_deref(), Some(&b"in"[..]));
    assert!(frozen.begin().await.is_err());
    let names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["berth.db"]);
}

#[tokio::test]
async fn an_older_schema_is_left_as_it_is_where_that_is_asked() {
    let directory = TempDir::new().unwrap();
    embedded(&directory).await.close().await;
    let path = directory.path().join("berth.db");
    SqlMetadata::open_sqlite_with(&path, as_it_is()).await.unwrap().close().await;
    let mut connection = sqlite::writer(&path).connect().await.unwrap();
    let older = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::query(older).execute(&mut connection).await.unwrap();
    let refused = SqlMetadata::open_sqlite_with(&path, as_it_is()).await;
    assert!(
        matches!(refused, Err(OpenError::Older { version, known }) if version + 1 == known),
        "{refused:?}"
    );
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert_eq!(usize::try_from(left).unwrap(), crate::open::LITE.iter().count() - 1);
    let empty = directory.path().join("empty.db");
    let refused = SqlMetadata::open_sqlite_with(&empty, as_it_is()).await;
    assert!(matches!(refused, Err(OpenError::File { .. })) && !empty.exists(), "{refused:?}");
}

fn as_it_is() -> Opening {
    Opening { schema: Schema::AsItIs, ..Opening::default() }
}

/// What the operator is told of a database that cannot be used.
async fn words(metadata: &SqlMetadata) -> String {
    match metadata.check().await {
        Err(Error::Unavailable(source)) => source.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_at_its_place_is_no_database() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (path, away) = (directory.path().join("berth.db"), directory.path().join("away.db"));
    metadata.check().await.unwrap();
    fs::rename(&path, &away).unwrap();
    assert!(words(&metadata).await.contains("is not there any more"));
    fs::write(&path, "").unwrap();
    assert!(words(&metadata).await.contains("another file stands at"));
    fs::rename(&away, &path).unwrap();
    metadata.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_without_an_end_is_no_database() {
    let directory = TempDir::new().unwrap();
    let metadata = embedded(&directory).await;
    let (_, repository) = repository(&metadata).await;
    let mut tx = metadata.begin().await.unwrap();
    tx.add_blob(&super::blob("open"), super::NOW).await.unwrap();
    assert!(words(&metadata).await.contains("no write could begin"));
    tx.commit().await.unwrap();
    metadata.check().await.unwrap();
    // Neither asking nor having given up left anything in the way, also beside others.
    let pushes = (0..20).map(async |n| {
        push(&metadata, &repository, &format!("beside {n}")).await.unwrap();
        metadata.check().await.unwrap();
    });
    futures::future::join_all(pushes).await;
    assert!(is_there(&metadata, &repository, "beside 19").await);
}
