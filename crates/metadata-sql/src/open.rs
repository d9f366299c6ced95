//! Opening a database: connect, bring the schema up to date; and copying an embedded one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _};

use crate::database::Pools;
use crate::sqlite::{self, Lite};
use crate::{OpenError, SqlMetadata, postgres};

/// SQLite's schema.
pub(crate) static LITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// PostgreSQL's schema.
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The table in which the library notes what ran.
const APPLIED: &str = "_sqlx_migrations";

/// How a database is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// How many connections may be open at once, of an embedded database those that read.
    pub connections: Option<u32>,
    /// After how long a statement is given up to which PostgreSQL does not answer; 30 s if nobody says.
    pub patience: Option<Duration>,
    /// What becomes of the schema.
    pub schema: Schema,
    /// How many lines of a tag's history stay, the latest; all if nobody says.
    pub history_lines: Option<u32>,
}

/// What becomes of the schema of a database that is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schema {
    /// It is brought up to date.
    #[default]
    Update,
    /// The same, but it must be one already: a database that nothing ever ran on is refused.
    UpdateOurs,
    /// It must be up to date: a server of another release may be at work on it.
    AsItIs,
    /// It must be up to date, and nothing is written, of an embedded database not even beside its file: transactions fail. No process
    /// may have it open for writing meanwhile.
    Frozen,
}

impl Schema {
    /// Refuses none where there must be one, and an older one where it is not to be changed.
    async fn look(self, connection: &mut impl Migrate, migrator: &Migrator) -> Result<(), OpenError> {
        if self == Self::Update {
            return Ok(());
        }
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
        let applied = match connection.list_applied_migrations(APPLIED).await {
            // The table is not there, so nothing ran.
            Err(MigrateError::Execute(sqlx::Error::Database(_))) => Vec::new(),
            applied => applied?,
        };
        let version = applied.iter().map(|migration| migration.version).max().unwrap_or_default();
        match self {
            Self::UpdateOurs if version == 0 => Err(OpenError::Strange),
            Self::AsItIs | Self::Frozen if version < known => Err(OpenError::Older { version, known }),
            Self::Frozen if version > known => Err(OpenError::Newer { version }),
            _ => Ok(()),
        }
    }
}

impl SqlMetadata {
    /// Opens the database in a file, which is made (mode 0600) if it is not there, and brings its schema up to date.
    pub async fn open_sqlite(path: &Path) -> Result<Self, OpenError> {
        Self::open_sqlite_with(path, Opening::default()).await
    }

    /// The same with a say in how; a file is made only where a schema may be written.
    pub async fn open_sqlite_with(path: &Path, opening: Opening) -> Result<Self, OpenError> {
        let Opening { connections, schema, history_lines, .. } = opening;
        let readers = connections.unwrap_or(sqlite::READERS);
        if schema == Schema::Frozen {
            return Self::open_frozen(path, readers).await;
        }
        let file = |source| OpenError::File { path: path.display().to_string(), source };
        let create = schema == Schema::Update;
        OpenOptions::new().append(true).create(create).mode(0o600).open(path).map_err(file)?;
        let mut connection = sqlite::writer(path).connect().await.map_err(OpenError::Connect)?;
        schema.look(&mut connection, &LITE).await?;
        LITE.run(&mut connection).await?;
        connection.close().await.map_err(OpenError::Connect)?;
        let lite = Lite::connect(path, readers).await.map_err(OpenError::Connect)?;
        Ok(Self::over(Pools::Lite(lite), postgres::PATIENCE, history_lines))
    }

    async fn open_frozen(path: &Path, readers: u32) -> Result<Self, OpenError> {
        if fs::metadata(sqlite::log(path)).is_ok_and(|log| log.len() > 0) {
            return Err(OpenError::Unmerged { path: path.display().to_string() });
        }
        let mut connection = sqlite::frozen(path).connect().await.map_err(OpenError::Connect)?;
        Schema::Frozen.look(&mut connection, &LITE).await?;
        connection.close().await.map_err(OpenError::Connect)?;
        let lite = Lite::connect_frozen(path, readers).await.map_err(OpenError::Connect)?;
        Ok(Self::over(Pools::Lite(lite), postgres::PATIENCE, None))
    }

    /// Opens a PostgreSQL database by its URL and brings its schema up to date, under a lock, so that several processes can start
    /// together. At most `connections` are open at once.
    pub async fn open_postgres(url: &str, connections: u32) -> Result<Self, OpenError> {
        let opening = Opening { connections: Some(connections), ..Opening::default() };
        Self::open_postgres_with(url, opening).await
    }

    /// The same with a say in how.
    pub async fn open_postgres_with(url: &str, opening: Opening) -> Result<Self, OpenError> {
        let Opening { connections, patience, schema, history_lines } = opening;
        let options = PgConnectOptions::from_str(url).map_err(OpenError::Url)?;
        let options =
            options.application_name("berth").statement_cache_capacity(256).disable_statement_logging();
        let mut connection = options.connect().await.map_err(OpenError::Connect)?;
        schema.look(&mut connection, &POSTGRES).await?;
        if schema != Schema::Frozen {
            POSTGRES.run(&mut connection).await?;
        }
        connection.close().await.map_err(OpenError::Connect)?;
        let pool = postgres::pool(options, connections).await.map_err(OpenError::Connect)?;
        Ok(Self::over(Pools::Postgres(pool), patience.unwrap_or(postgres::PATIENCE), history_lines))
    }

    /// Copies the file of an embedded database that no process has open, with the log beside it if one was left, into a new file
    /// (mode 0600). What is copied is read and nothing else: neither it nor its directory changes, and its schema may be any.
    pub async fn copy_sqlite_at_rest(from: &Path, to: &Path) -> Result<(), OpenError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Backup {
            path: to.display().to_string(),
            source,
        };
        let files = [(from.to_owned(), to.to_owned()), (sqlite::log(from), sqlite::log(to))];
        let copying = tokio::task::spawn_blocking(move || {
            let [(from, to), (log, log_copy)] = files;
            copy_file(&from, &to)?;
            if log.exists() { copy_file(&log, &log_copy) } else { Ok(()) }
        });
        copying.await.map_err(|ended| failed(ended.into()))?.map_err(|error| failed(error.into()))
    }

    /// Copies an embedded database, as it is at one moment, into a new file (mode 0600), durably. Others go on meanwhile.
    pub async fn backup_sqlite(&self, to: &Path) -> Result<(), OpenError> {
        let Pools::Lite(lite) = &self.pools else { return Err(OpenError::NotEmbedded) };
        let failed = |source| OpenError::Backup { path: to.display().to_string(), source };
        // SQLite copies into an empty file, which keeps its mode.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
        file.map_err(|error| failed(error.into()))?;
        let copied = copy(lite.path(), to).await;
        if copied.is_err() {
            // What stands there is no backup; an error in removing it says nothing that the first one does not.
            let _ = fs::remove_file(to);
        }
        copied.map_err(failed)
    }
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

/// Copies the file by SQLite's own means and syncs the copy with its directory.
async fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = sqlite::writer(from).connect().await?;
    let name = to.to_str().ok_or("the path is not UTF-8")?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await?;
    connection.close().await?;
    let to = to.to_owned();
    let synced = tokio::task::spawn_blocking(move || {
        File::open(&to)?.sync_all()?;
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    });
    Ok(synced.await??)
}
