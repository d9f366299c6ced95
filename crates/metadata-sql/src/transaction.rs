//! One open transaction, on a connection of its own or as a member of SQLite's group.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use berth_metadata::{Error, Result, Transaction};
use sqlx::{PgConnection, Postgres};
use tokio::task::JoinError;
use uuid::Uuid;

use crate::error::{judge, shared};
use crate::pending::Pending;
use crate::postgres::answered;
use crate::sqlite::{Along, Turn};
use crate::statement::Either;

/// A transaction. What it counts waits in `pending` until the commit.
#[derive(Debug)]
pub(crate) struct SqlTransaction {
    connection: Either<sqlx::Transaction<'static, Postgres>, Turn>,
    /// A statement failed: nothing more can be done here but to drop it.
    failed: bool,
    patience: Duration,
    pub(crate) pending: Pending,
    pub(crate) slot: i16,
    /// How many lines of a tag's history stay.
    pub(crate) history_lines: Option<u32>,
    /// Repositories that cannot be deleted before this transaction ends.
    pub(crate) held: BTreeSet<i64>,
    /// The upload session that this transaction last looked for or wrote, and whether it has a row. One that is there is locked; one
    /// that is not must not overwrite another one's.
    pub(crate) seen_upload: Option<(Uuid, bool)>,
}

/// A statement or commit was asked for after another one had failed.
#[derive(Debug, thiserror::Error)]
#[error("an earlier statement of this transaction failed")]
struct AlreadyFailed;

/// The runtime ended before the commit did.
#[derive(Debug, thiserror::Error)]
#[error("the process is shutting down")]
struct ShuttingDown(#[source] JoinError);

impl SqlTransaction {
    pub(crate) fn over(
        connection: Either<sqlx::Transaction<'static, Postgres>, Turn>,
        slot: i16,
        patience: Duration,
        history_lines: Option<u32>,
    ) -> Self {
        Self {
            connection,
            failed: false,
            patience,
            pending: Pending::default(),
            slot,
            history_lines,
            held: BTreeSet::new(),
            seen_upload: None,
        }
    }

    /// What this transaction's statements run on; nothing after one of them failed.
    pub(crate) fn executor(&mut self) -> Result<Either<&mut PgConnection, Along<'_>>> {
        if self.failed {
            return Err(Error::Backend(Box::new(AlreadyFailed)));
        }
        match &mut self.connection {
            Either::Postgres(transaction) => Ok(Either::Postgres(&mut **transaction)),
            Either::Lite(turn) => turn.connection().map(Either::Lite),
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Puts a driver's error into the port's terms and remembers that there was one.
    pub(crate) fn judge<T>(&mut self, outcome: sqlx::Result<T>) -> Result<T> {
        outcome.map_err(|error| {
            self.failed = true;
            let error = std::sync::Arc::new(error);
            if let Either::Lite(turn) = &mut self.connection {
                turn.failed(&error);
            }
            shared(&error)
        })
    }
}

#[async_trait]
impl Transaction for SqlTransaction {
    async fn commit(mut self: Box<Self>) -> Result<()> {
        self.flush().await?;
        // A task of its own: a caller who stops waiting does not stop a commit half way.
        let commit = tokio::spawn(async move {
            match self.connection {
                Either::Postgres(transaction) => {
                    answered(self.patience, transaction.commit()).await.map_err(judge)
                }
                Either::Lite(turn) => turn.commit().await,
            }
        });
        commit.await.unwrap_or_else(|ended| Err(Error::Unavailable(Box::new(ShuttingDown(ended)))))
    }
}
