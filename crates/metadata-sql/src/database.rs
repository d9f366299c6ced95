//! The database: an enum of two pools, and what both do alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicI16, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use berth_metadata::{Metadata, Result, Transaction};
use sqlx::{Postgres, Sqlite};

use crate::error::judge;
use crate::pool::Connections;
use crate::postgres::answered;
use crate::sqlite::Lite;
use crate::statement::Either;
use crate::transaction::SqlTransaction;

statements! {
    /// Whether a table can be read. The first project's row stays, whatever becomes of the project.
    CHECK = sql!("SELECT id FROM projects WHERE id = 1");
}

/// How many slots a sum has; see the table `counters`.
const SLOTS: i16 = 16;

/// The metadata port on SQLite or PostgreSQL. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqlMetadata {
    pub(crate) pools: Pools,
    /// After how long a statement is given up to which PostgreSQL does not answer.
    pub(crate) patience: Duration,
    /// How many lines of a tag's history stay.
    history_lines: Option<u32>,
    next_slot: Arc<AtomicI16>,
}

/// How busy a database's connections are; for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections that are open.
    pub open: usize,
    /// Those of them that wait for work.
    pub idle: usize,
    /// Statements and transactions that wait for a connection; in an embedded database also for their turn on the one writer.
    pub waiting: usize,
}

/// The two databases.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    /// A server: one pool for everything.
    Postgres(Connections<Postgres>),
    /// A file: one writer and a pool of readers.
    Lite(Lite),
}

impl SqlMetadata {
    pub(crate) fn over(pools: Pools, patience: Duration, history_lines: Option<u32>) -> Self {
        Self { pools, patience, history_lines, next_slot: Arc::default() }
    }

    /// What statements outside of transactions run on.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a transaction's executor can be refused, and one macro serves both"
    )]
    pub(crate) fn executor(&self) -> Result<Either<&Connections<Postgres>, &Connections<Sqlite>>> {
        Ok(match &self.pools {
            Pools::Postgres(pool) => Either::Postgres(pool),
            Pools::Lite(lite) => Either::Lite(lite.readers()),
        })
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Puts a driver's error into the port's terms.
    #[expect(clippy::unused_self, reason = "a transaction remembers the error, and one macro serves both")]
    pub(crate) fn judge<T>(&self, outcome: sqlx::Result<T>) -> Result<T> {
        outcome.map_err(judge)
    }

    /// Opens a transaction.
    pub(crate) async fn transaction(&self) -> Result<SqlTransaction> {
        let slot = self.next_slot.fetch_add(1, Ordering::Relaxed).rem_euclid(SLOTS);
        let connection = match &self.pools {
            Pools::Postgres(pool) => {
                Either::Postgres(answered(self.patience, pool.begin()).await.map_err(judge)?)
            }
            Pools::Lite(lite) => Either::Lite(lite.begin().await?),
        };
        Ok(SqlTransaction::over(connection, slot, self.patience, self.history_lines))
    }

    /// How busy the pools are.
    #[must_use]
    pub fn load(&self) -> Load {
        let (open, idle, waiting) = match &self.pools {
            Pools::Postgres(pool) => (pool.open(), pool.idle(), pool.waiting()),
            Pools::Lite(lite) => {
                let readers = lite.readers();
                (readers.open(), readers.idle(), readers.waiting() + lite.writers())
            }
        };
        Load { open, idle, waiting }
    }
}

#[async_trait]
impl Metadata for SqlMetadata {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(self.transaction().await?))
    }

    async fn check(&self) -> Result<()> {
        if let Pools::Lite(lite) = &self.pools {
            lite.look().await?;
        }
        let _: Option<(i64,)> = optional!(self, CHECK);
        match &self.pools {
            Pools::Postgres(_) => Ok(()),
            Pools::Lite(lite) => lite.check_writer().await,
        }
    }

    async fn close(&self) {
        match &self.pools {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Lite(lite) => lite.close().await,
        }
    }
}
