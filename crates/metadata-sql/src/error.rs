//! What the drivers say, in the port's terms.

use std::sync::Arc;

use berth_metadata::Error;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// Why a database could not be opened or copied; the words are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one.
    #[error("the database's URL cannot be read: write postgres://user:password@host:5432/database")]
    Url(#[source] sqlx::Error),
    /// The file cannot be made or reached.
    #[error("the database file {path} cannot be opened")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was committed last is not in the file yet, and the file is not to be changed.
    #[error(
        "the database file {path} has a log beside it that was not moved into it: copy its directory to where it can be written, and look at that"
    )]
    Unmerged {
        /// The file.
        path: String,
    },
    /// Nothing answers, or it refuses.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// A newer Berth was here.
    #[error(
        "the database has the schema {version} of a newer Berth: start that release, or restore a backup from before it"
    )]
    Newer {
        /// The migration that this program does not know.
        version: i64,
    },
    /// An older Berth's, where it is not to be changed.
    #[error(
        "the database has the schema {version} of an older Berth, this program's is {known}: start `berth serve` of this release on it first, or use the release that serves it"
    )]
    Older {
        /// The last migration that it has; 0 for none.
        version: i64,
        /// The last one that this program knows.
        known: i64,
    },
    /// Nothing that this program makes is in it, where something must be.
    #[error("it is no database of Berth's: nothing of a schema is in it")]
    Strange,
    /// A migration ran in another form than this program has.
    #[error("the database's schema {version} is not this program's: it was made by an unreleased build")]
    Changed {
        /// The migration.
        version: i64,
    },
    /// A migration failed; it was undone.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] MigrateError),
    /// A backup was asked of a database that is not a file.
    #[error(
        "PostgreSQL is backed up with its own tools, for example pg_dump: only an embedded database can be copied"
    )]
    NotEmbedded,
    /// The copy failed.
    #[error("the database cannot be copied to {path}")]
    Backup {
        /// Where to.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                Self::Newer { version }
            }
            MigrateError::VersionMismatch(version) => Self::Changed { version },
            other => Self::Migrate(other),
        }
    }
}

/// The port's word for a driver's error.
pub(crate) fn judge(error: sqlx::Error) -> Error {
    shared(&Arc::new(error))
}

/// The port's word for an error that several transactions share.
pub(crate) fn shared(error: &Arc<sqlx::Error>) -> Error {
    let source = || -> berth_metadata::error::Source { Box::new(Arc::clone(error)) };
    match &**error {
        sqlx::Error::Database(said) => by_code(&**said, source),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Error::Unavailable(source()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Error::Corrupt(error.to_string()),
        _ => Error::Backend(source()),
    }
}

/// PostgreSQL's codes are SQLSTATEs of five characters, SQLite's are numbers whose low byte is the kind.
fn by_code(said: &dyn DatabaseError, source: impl Fn() -> berth_metadata::error::Source) -> Error {
    let code = said.code().unwrap_or_default();
    match code.as_bytes() {
        // Unique violation, serialization failure, deadlock.
        b"23505" | b"40001" | b"40P01" => Error::Conflict,
        b"53100" => Error::Full(source()),
        // Read-only transaction, insufficient privilege.
        b"25006" | b"42501" => Error::ReadOnly(source()),
        // Connection errors, lack of resources, shutdown and start-up, lock and statement timeouts.
        [b'0', b'8', ..] | [b'5', b'3' | b'7', _, _, _] | b"55P03" => Error::Unavailable(source()),
        b"XX001" | b"XX002" => Error::Corrupt(said.to_string()),
        [_, _, _, _, _] => Error::Backend(source()),
        _ => by_number(code.parse().unwrap_or_default(), said, source),
    }
}

fn by_number(
    code: u32,
    said: &dyn DatabaseError,
    source: impl Fn() -> berth_metadata::error::Source,
) -> Error {
    match (code, code & 0xff) {
        // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY, SQLITE_BUSY_SNAPSHOT.
        (2067 | 1555 | 517, _) => Error::Conflict,
        (_, 13) => Error::Full(source()),
        // SQLITE_PERM, SQLITE_READONLY; SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE, _SHMOPEN, _SHMSIZE, which a disk
        // gives that was mounted anew without the right to write, after an error of its own as a rule.
        (_, 3 | 8) | (778 | 1034 | 1290 | 1546 | 4618 | 4874, _) => Error::ReadOnly(source()),
        // SQLITE_BUSY, _LOCKED, _NOMEM, _IOERR, _CANTOPEN.
        (_, 5 | 6 | 7 | 10 | 14) => Error::Unavailable(source()),
        // SQLITE_CORRUPT, _NOTADB.
        (_, 11 | 26) => Error::Corrupt(said.to_string()),
        _ => Error::Backend(source()),
    }
}

/// A row holds something that it cannot hold.
pub(crate) fn corrupt(what: &str, value: impl std::fmt::Debug) -> Error {
    Error::Corrupt(format!("{what} {value:?}"))
}
