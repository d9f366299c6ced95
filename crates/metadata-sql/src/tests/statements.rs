//! The list of statements: each one is prepared on both databases.

use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;

use crate::{SqlMetadata, sqlite, statement};

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("berth.db");
    SqlMetadata::open_sqlite(&path).await.unwrap();
    let mut connection = sqlite::writer(&path).connect().await.unwrap();
    for statement in statement::all() {
        let prepared = connection.prepare(sqlx::SqlSafeStr::into_sql_str(statement.lite)).await;
        assert!(prepared.is_ok(), "{}: {:?}", statement.name, prepared.err());
    }
}
