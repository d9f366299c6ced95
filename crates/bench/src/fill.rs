//! Gives Berth a million tags and repositories by writing its embedded database while it is stopped.

mod members;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::client::image::Image;
use crate::contestant::berth::Berth;
use crate::lab::{self, Lab, Room, Started, Transport};

pub(crate) use members::{busy_berth, project, user};

/// What the names of added tags begin with.
pub(crate) const TAG: &str = "v";
/// What the names of added repositories begin with.
pub(crate) const REPOSITORY: &str = "library/r";

/// The numbers of what is added.
const NUMBERS: &str =
    "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $1)";

/// The name of the added tag or repository of that number, counted from 0.
pub(crate) fn name(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:07}")
}

/// A room with a stopped Berth that has one image and so many tags and repositories beside it.
pub(crate) fn crowded_room(lab: &Lab, tags: u64, repositories: u64) -> anyhow::Result<Room> {
    let room = lab.room()?;
    let running = lab.start_in(&lab.berth, &room, Transport::Plain)?;
    running.take_image(lab::REPOSITORY, "latest", &Image::new(1))?;
    drop(running);
    write(&room, async |transaction| fill(transaction, tags, repositories).await)?;
    Ok(room)
}

/// The same, running.
pub(crate) fn crowded_berth(lab: &Lab, tags: u64, repositories: u64) -> anyhow::Result<Started> {
    let room = crowded_room(lab, tags, repositories)?;
    lab.start_over(&lab.berth, room, Transport::Plain)
}

/// Writes the database of a stopped Berth in one transaction, and leaves it at rest, so that a start that is measured finds it so.
fn write(
    room: &Room,
    change: impl AsyncFnOnce(&mut SqliteConnection) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let database = database(&Berth::data(room.path()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let written = runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(database).connect().await?;
        let mut transaction = connection.begin().await?;
        change(&mut transaction).await?;
        transaction.commit().await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        anyhow::Ok(connection.close().await?)
    });
    written.context("filling the database")
}

async fn fill(connection: &mut SqliteConnection, tags: u64, repositories: u64) -> anyhow::Result<()> {
    for (table, prefix, count) in [("tags", TAG, tags), ("repositories", REPOSITORY, repositories)] {
        if count > 0 {
            let (count, insert) = (i64::try_from(count)?, copies(connection, table).await?);
            sqlx::query(AssertSqlSafe(insert)).bind(count).bind(prefix).execute(&mut *connection).await?;
        }
    }
    let insert = manifests(connection).await?;
    sqlx::query(AssertSqlSafe(insert)).execute(connection).await?;
    Ok(())
}

/// What is added to a table are copies of the one row there is, under names of their own.
async fn copies(connection: &mut SqliteConnection, table: &str) -> anyhow::Result<String> {
    let columns = columns(connection, table, &["id", "name"]).await?;
    Ok(format!(
        "INSERT INTO {table} (name, {columns}) {NUMBERS}
         SELECT $2 || printf('%07d', n), {columns}
         FROM (SELECT * FROM {table} WHERE deleted_at IS NULL LIMIT 1) CROSS JOIN numbers"
    ))
}

/// Every repository that is added has a copy of the one manifest, without the content, which no list reads.
async fn manifests(connection: &mut SqliteConnection) -> anyhow::Result<String> {
    let columns = columns(connection, "manifests", &["id", "repository_id", "content"]).await?;
    let copied = columns.split(", ").map(|column| format!("one.{column}")).collect::<Vec<_>>().join(", ");
    Ok(format!(
        "INSERT INTO manifests (repository_id, content, {columns})
         SELECT repositories.id, X'7B7D', {copied}
         FROM (SELECT * FROM manifests WHERE deleted_at IS NULL LIMIT 1) AS one
         CROSS JOIN repositories WHERE repositories.id <> one.repository_id"
    ))
}

/// The columns of a table without some of them, as a list: later migrations may add to them.
async fn columns(connection: &mut SqliteConnection, table: &str, without: &[&str]) -> anyhow::Result<String> {
    let query = sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid").bind(table);
    let mut all: Vec<String> = query.fetch_all(connection).await?;
    all.retain(|column| !without.contains(&column.as_str()));
    Ok(all.join(", "))
}

/// The one SQLite database in the data directory, known by its first bytes.
fn database(data: &Path) -> anyhow::Result<PathBuf> {
    for entry in fs::read_dir(data)?.flatten() {
        let mut magic = [0; 15];
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && File::open(entry.path())?.read_exact(&mut magic).is_ok() && magic == *b"SQLite format 3"
        {
            return Ok(entry.path());
        }
    }
    anyhow::bail!("there is no database in {}", data.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = include_str!("../../../migrations/sqlite/0001_foundation.sql");
    const FIRST: &str = "
        INSERT INTO repositories (project_id, name, created_at, by_kind, by_id, by_name)
        VALUES (1, 'library/bench', 0, 'user', 1, 'a');
        INSERT INTO tags (repository_id, name, digest, pushed_at, by_kind, by_id, by_name)
        VALUES (1, 'latest', X'01', 0, 'user', 1, 'a');
        INSERT INTO manifests
            (repository_id, digest, media_type, size, pushed_at, by_kind, by_id, by_name, content)
        VALUES (1, X'01', 'application/json', 2, 0, 'user', 1, 'a', X'00');";

    #[tokio::test]
    async fn copies_of_the_one_tag_and_the_one_repository_with_its_manifest_are_added() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("any name");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await.unwrap();
        sqlx::raw_sql(FIRST).execute(&mut connection).await.unwrap();
        assert_eq!(database(directory.path()).unwrap(), file);
        fill(&mut connection, 3, 5).await.unwrap();
        let last = "SELECT count(*), max(name) FROM tags WHERE repository_id = 1";
        let tags: (i64, String) = sqlx::query_as(last).fetch_one(&mut connection).await.unwrap();
        assert_eq!(tags, (4, name(TAG, 2)));
        let last = "SELECT count(*), max(name) FROM repositories WHERE project_id = 1";
        let repositories: (i64, String) = sqlx::query_as(last).fetch_one(&mut connection).await.unwrap();
        assert_eq!(repositories, (6, name(REPOSITORY, 4)));
        let each = "SELECT count(DISTINCT repository_id), count(*) FROM manifests WHERE digest = X'01'";
        let manifests: (i64, i64) = sqlx::query_as(each).fetch_one(&mut connection).await.unwrap();
        assert_eq!(manifests, (6, 6));
    }
}
