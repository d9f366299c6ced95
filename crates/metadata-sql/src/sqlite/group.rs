//! Group commit: transactions take turns on the one writer connection, and those that follow each other closely share one COMMIT
//! and thereby one sync of the disk.
//!
//! ```text
//! first member     BEGIN  … statements …  commit(): others wait for a turn, so hand the connection on and wait
//! second member           SAVEPOINT … statements … RELEASE  commit(): the same
//! third member                      SAVEPOINT … statements … RELEASE  commit(): nobody waits, so COMMIT and wake all three
//! ```
//!
//! A member begins with its first statement and ends with what it left waiting, so that neither is a way to the connection's thread of
//! its own.
//!
//! **Invariants.** Whoever leaves the connection while members wait leaves it either to the next in line or committed. A member that
//! goes without `commit()` is rolled back to its savepoint, and the others are not. If the group's COMMIT fails, or SQLite undoes the
//! whole transaction because of one member's error, every waiting member gets the error. A member sees what others did that wait for
//! the COMMIT; if it goes without its own, its attempt waits for theirs, and who is in no attempt sees only what is committed.
//! Everything that moves between these states runs in tasks of its own, so that a caller who stops waiting leaves nothing half done.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use berth_metadata::certain::{Attempt, CameToBe};
use berth_metadata::{Error, Result};
use futures::FutureExt as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::WRITE_NOTHING;
use super::waiting::{Along, Waiting};
use crate::error::shared;

/// The longest group. Each further member waits no less, and saves less and less.
const LONGEST: usize = 64;

/// Where the first member begins.
const FIRST: &str = "BEGIN IMMEDIATE";

/// Where a member begins that is not the first.
const BEGIN: &str = "SAVEPOINT member";

/// And where it ends.
const END: &str = "RELEASE member";

/// The writer's connection and those who wait for it.
pub(crate) struct Group {
    writer: Arc<Mutex<Writer>>,
    /// How many wait for a turn.
    waiting: AtomicUsize,
}

/// What came of a group's commit.
type Outcome = Result<(), Arc<sqlx::Error>>;

/// The connection and the state of the transaction on it.
struct Writer {
    options: SqliteConnectOptions,
    /// `None` after an error, until the next turn opens another one.
    connection: Option<SqliteConnection>,
    /// The connection was seen to be able to write.
    proven: bool,
    stage: Stage,
    /// Statements of the latest member that are not sent yet.
    waiting: Waiting,
    /// The latest member went without a commit and nobody could undo it.
    abandoned: bool,
    /// Members that wait for the COMMIT.
    members: Vec<oneshot::Sender<Outcome>>,
    closed: bool,
}

/// How far the connection is in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not in one.
    Idle,
    /// In one without a savepoint, or that waits to be sent: the first member needs none, and those that came after it have left.
    Open,
    /// In one with the latest member's savepoint, or that waits to be sent.
    Savepoint,
}

/// One transaction's turn on the connection.
pub(crate) struct Turn {
    group: Arc<Group>,
    /// `None` once the turn ended.
    writer: Option<OwnedMutexGuard<Writer>>,
    /// What has to know on whose commit it rests.
    attempt: Option<Attempt>,
    /// The first error of a statement.
    failure: Option<Arc<sqlx::Error>>,
}

impl Group {
    pub(crate) async fn connect(options: SqliteConnectOptions) -> sqlx::Result<Self> {
        let connection = Some(options.connect().await?);
        let writer = Writer {
            options,
            connection,
            proven: false,
            stage: Stage::Idle,
            waiting: Waiting::default(),
            abandoned: false,
            members: Vec::new(),
            closed: false,
        };
        Ok(Self { writer: Arc::new(Mutex::new(writer)), waiting: AtomicUsize::new(0) })
    }

    /// Waits for a turn; those who wait are served in order.
    pub(crate) async fn begin(self: Arc<Self>) -> Result<Turn> {
        let attempt = Attempt::current();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let turn = tokio::spawn(async move {
            let writer = Arc::clone(&self.writer).lock_owned().await;
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            let mut turn = Turn { group: self, writer: Some(writer), attempt, failure: None };
            turn.start().await?;
            Ok(turn)
        });
        turn.await.unwrap_or_else(|ended| Err(Error::Unavailable(Box::new(ended))))
    }

    /// Waits for the running turn and ends the connection.
    pub(crate) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        // Members wait only while someone waits for a turn: those come after this and are refused.
        writer.commit().await;
        writer.closed = true;
        writer.disconnect().await;
    }

    /// Whether the members are not to wait for one more.
    fn is_complete(&self, writer: &Writer) -> bool {
        self.waiting() == 0 || writer.members.len() >= LONGEST
    }

    /// How many wait for a turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

impl Turn {
    /// The connection, for this turn's statements.
    pub(crate) fn connection(&mut self) -> Result<Along<'_>> {
        let closed = || shared(&Arc::new(sqlx::Error::PoolClosed));
        self.writer.as_mut().and_then(|writer| writer.along()).ok_or_else(closed)
    }

    /// Remembers why a statement failed, for members that lose their work by it.
    pub(crate) fn failed(&mut self, error: &Arc<sqlx::Error>) {
        self.failure.get_or_insert_with(|| Arc::clone(error));
    }

    /// Sends what waits, if only its beginning.
    pub(crate) async fn send(&mut self) -> Result<()> {
        self.connection()?.send().await.map_err(|error| {
            let error = Arc::new(error);
            self.failed(&error);
            shared(&error)
        })
    }

    async fn start(&mut self) -> Result<()> {
        let Some(writer) = self.writer.as_mut() else { return Ok(()) };
        if writer.abandoned {
            writer.undo(None).await;
        }
        if self.attempt.is_none() {
            writer.commit().await;
        }
        let started = writer.start().await;
        if let Err(error) = started {
            // Nothing of this member is there to undo.
            let error = writer.lose(Arc::new(error)).await;
            self.writer = None;
            return Err(shared(&error));
        }
        Ok(())
    }

    /// Ends the turn: hands the connection on and waits for the group's COMMIT, or is the one to do it.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.leave().await
        {
            let error = Arc::new(error);
            self.failed(&error);
            return Err(shared(&error));
        }
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        let (committed, outcome) = oneshot::channel();
        writer.members.push(committed);
        if self.group.is_complete(&writer) {
            writer.commit().await;
        }
        drop(writer);
        match outcome.await {
            Ok(outcome) => outcome.map_err(|error| shared(&error)),
            Err(ended) => Err(Error::Unavailable(Box::new(ended))),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        // Who failed was refused by nothing that it saw.
        if let (Some(attempt), None) = (&self.attempt, &self.failure)
            && let Some(others) = writer.others()
        {
            attempt.rests_on(others);
        }
        writer.abandoned = true;
        // Without a runtime the process is ending: the next turn, if there is one, undoes this.
        let Ok(runtime) = Handle::try_current() else { return };
        let (group, failure) = (Arc::clone(&self.group), self.failure.take());
        runtime.spawn(async move {
            writer.undo(failure).await;
            if group.is_complete(&writer) {
                writer.commit().await;
            }
        });
    }
}

impl Writer {
    /// Opens a transaction, or a savepoint in the one that is open.
    async fn start(&mut self) -> sqlx::Result<()> {
        if self.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await?);
        }
        self.stage = match self.stage {
            Stage::Idle => {
                self.begin().await?;
                Stage::Open
            }
            Stage::Open | Stage::Savepoint => {
                self.waiting.push(BEGIN, Vec::new());
                Stage::Savepoint
            }
        };
        Ok(())
    }

    /// Begins the first member, at once on a new connection, which is refused if it cannot write. A file that may only be read is opened
    /// for that without an error, and so is a transaction on it: kept, such a connection would outlive the disk's repair.
    async fn begin(&mut self) -> sqlx::Result<()> {
        if self.proven {
            self.waiting.push(FIRST, Vec::new());
            return Ok(());
        }
        self.run(FIRST).await?;
        self.run(WRITE_NOTHING.lite).await?;
        self.proven = true;
        Ok(())
    }

    /// Sends what the latest member left waiting; nothing of it can be undone alone any more.
    async fn leave(&mut self) -> sqlx::Result<()> {
        if self.stage == Stage::Savepoint {
            self.waiting.push(END, Vec::new());
        }
        self.along().ok_or(sqlx::Error::PoolClosed)?.send().await?;
        if self.stage == Stage::Savepoint {
            self.stage = Stage::Open;
        }
        Ok(())
    }

    /// What becomes of the members, if the latest one has seen what they did.
    fn others(&mut self) -> Option<CameToBe> {
        if self.members.is_empty() || self.waiting.begins_with(BEGIN) {
            return None;
        }
        let (committed, outcome) = oneshot::channel();
        self.members.push(committed);
        Some(outcome.map(|outcome| matches!(outcome, Ok(Ok(())))).boxed())
    }

    /// Commits the group, if there is one, and tells its members.
    async fn commit(&mut self) {
        if self.stage == Stage::Idle || self.members.is_empty() {
            return;
        }
        match self.run("COMMIT").await {
            Ok(()) => {
                self.stage = Stage::Idle;
                for member in self.members.drain(..) {
                    // A member that stopped waiting does not need to know.
                    let _ = member.send(Ok(()));
                }
            }
            Err(error) => {
                self.lose(Arc::new(error)).await;
            }
        }
    }

    /// Undoes what the latest member did; `failure` is why, if a statement failed.
    async fn undo(&mut self, failure: Option<Arc<sqlx::Error>>) {
        self.abandoned = false;
        let began = !self.waiting.begins_with(FIRST) && !self.waiting.begins_with(BEGIN);
        self.waiting.clear();
        let (text, next) = match self.stage {
            Stage::Idle => return,
            Stage::Open if !began => return self.stage = Stage::Idle,
            Stage::Open => ("ROLLBACK", Stage::Idle),
            Stage::Savepoint if !began => return self.stage = Stage::Open,
            Stage::Savepoint => ("ROLLBACK TO member; RELEASE member", Stage::Open),
        };
        match self.run(text).await {
            Ok(()) => self.stage = next,
            // SQLite undid the whole transaction when the statement failed.
            Err(error) => {
                self.lose(failure.unwrap_or_else(|| Arc::new(error))).await;
            }
        }
    }

    /// Gives the transaction up and tells the members. The connection is replaced, whatever state it is in.
    async fn lose(&mut self, error: Arc<sqlx::Error>) -> Arc<sqlx::Error> {
        self.disconnect().await;
        for member in self.members.drain(..) {
            let _ = member.send(Err(Arc::clone(&error)));
        }
        error
    }

    async fn disconnect(&mut self) {
        self.stage = Stage::Idle;
        self.proven = false;
        self.waiting.clear();
        if let Some(connection) = self.connection.take() {
            // Closing rolls back what is open; an error here has no more to say than the one before it.
            let _ = connection.close().await;
        }
    }

    /// The connection with what waits for it.
    fn along(&mut self) -> Option<Along<'_>> {
        let connection = self.connection.as_mut()?;
        Some(Along { connection, waiting: &mut self.waiting })
    }

    async fn run(&mut self, text: &'static str) -> sqlx::Result<()> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        sqlx::raw_sql(text).execute(connection).await.map(drop)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("failure", &self.failure).finish_non_exhaustive()
    }
}
