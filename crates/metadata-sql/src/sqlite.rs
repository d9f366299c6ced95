//! SQLite: one writer whose commits are grouped, and a pool of readers beside it.

mod file;
mod group;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use berth_metadata::{Error, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite};

use crate::pool::Connections;
use file::OpenFile;
use group::Group;
pub(crate) use group::Turn;
pub(crate) use waiting::Along;

statements! {
    /// Takes the lock of those who write and changes nothing: no setting has such a name.
    WRITE_NOTHING -> () = sql!("UPDATE settings SET value = value WHERE name = ''");
}

/// Readers at once: each is a thread with a page cache of 2 MiB, and more than a machine's cores do not read faster.
pub(crate) const READERS: u32 = 8;

/// How long another process may hold the file's lock.
const BUSY: Duration = Duration::from_secs(10);

/// How long a write may wait for its beginning before the database counts as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many pages the log may have before they are moved into the main file: 16 MiB, so that pages which many commits touch are
/// moved once.
const CHECKPOINT_PAGES: &str = "4000";

/// Statements that a connection keeps prepared; more than there are, alone and together with those that wait for them.
const PREPARED: usize = 512;

/// Memory of the writer for pages, in KiB: as many as its log has, so that a group's pages do not leave it before the commit.
const WRITER_CACHE: &str = "-16000";

/// A database in a file. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lite {
    file: OpenFile,
    readers: Connections<Sqlite>,
    group: Arc<Group>,
}

/// Whoever writes does not come to an end, here or in another process.
#[derive(Debug, thiserror::Error)]
#[error(
    "no write could begin within {PATIENCE:?}: another one comes to no end, of this process or of one beside it"
)]
struct Stuck;

impl Lite {
    /// Connects to the file, which exists.
    pub(crate) async fn connect(path: &Path, readers: u32) -> sqlx::Result<Self> {
        Self::connect_with(path, group_writer(path), reader(path), readers).await
    }

    /// The same to look at it: transactions fail.
    pub(crate) async fn connect_frozen(path: &Path, readers: u32) -> sqlx::Result<Self> {
        Self::connect_with(path, frozen(path), frozen(path), readers).await
    }

    async fn connect_with(
        path: &Path,
        writer: SqliteConnectOptions,
        reader: SqliteConnectOptions,
        readers: u32,
    ) -> sqlx::Result<Self> {
        let group = Group::connect(writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(readers)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(reader)
            .await?;
        let file = OpenFile::at(path)?;
        Ok(Self { file, readers: Connections::of(readers), group: Arc::new(group) })
    }

    /// What reads run on. They see what was committed before they began.
    pub(crate) fn readers(&self) -> &Connections<Sqlite> {
        &self.readers
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether the open file is still the one at the path.
    pub(crate) async fn look(&self) -> Result<()> {
        let file = self.file.clone();
        let looked = tokio::task::spawn_blocking(move || file.look()).await;
        let looked = looked.map_err(|ended| Error::Unavailable(Box::new(ended)))?;
        looked.map_err(|lost| Error::Unavailable(Box::new(lost)))
    }

    /// Whether a write can begin: one does, and ends without having changed anything.
    pub(crate) async fn check_writer(&self) -> Result<()> {
        let begun = tokio::time::timeout(PATIENCE, async { self.begin().await?.send().await }).await;
        begun.map_err(|_| Error::Unavailable(Box::new(Stuck)))?
    }

    /// Waits for the writer's connection and opens a transaction on it.
    pub(crate) async fn begin(&self) -> Result<Turn> {
        Arc::clone(&self.group).begin().await
    }

    /// How many writers wait for their turn.
    pub(crate) fn writers(&self) -> usize {
        self.group.waiting()
    }

    /// Ends all connections; the last one moves the log into the main file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.group.close().await;
    }
}

/// The log beside a database's file: what was committed and is not in the file yet.
pub(crate) fn log(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// How the writer opens the file.
pub(crate) fn writer(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864")
}

/// How the writer does that works for all. What its savepoints keep to go back to stays in memory: as a file it would be written by
/// every transaction and read by hardly any. Whoever makes an index or a copy has too much for that and is another one.
fn group_writer(path: &Path) -> SqliteConnectOptions {
    writer(path).pragma("cache_size", WRITER_CACHE).pragma("temp_store", "memory")
}

/// How readers open the file.
pub(crate) fn reader(path: &Path) -> SqliteConnectOptions {
    options(path).pragma("query_only", "on")
}

/// How a file is opened to which nobody writes: without locks, and without anything beside it.
pub(crate) fn frozen(path: &Path) -> SqliteConnectOptions {
    reader(path).read_only(true).immutable(true)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .busy_timeout(BUSY)
        .statement_cache_capacity(PREPARED)
        .disable_statement_logging()
}
