//! Where the work of an upload waits for its writer.
//!
//! **Invariant.** Whenever a piece waits, a blocking task is at work on it or about to be: an upload whose caller waits for a free
//! buffer must not be the one that holds it. No thread is held while nothing waits.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_blobs::{Error, Result};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_blocking;

use crate::writer::Writer;

/// How many bytes may wait; about as many again are on their way to the disk, in one write.
const BATCH: usize = 4 << 20;

/// The queue of one upload. Only one caller at a time.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Told whenever there may be room, and when the writer is gone.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Job>,
    /// How many bytes wait.
    bytes: usize,
    seat: Seat,
}

/// What the writer is to do.
enum Job {
    /// Write these pieces, one behind the other.
    Write(Vec<Bytes>),
    /// Something else, and tell that it is done.
    Do(Work, oneshot::Sender<()>),
}

type Work = Box<dyn FnOnce(&mut Writer) -> Result<()> + Send>;

/// Where the writer is.
#[derive(Debug)]
enum Seat {
    /// Here, with nothing to do.
    Idle(Writer),
    /// At the disk.
    Away,
    /// Gone for good, and why.
    Gone(Error),
}

/// The writer's way to the disk: if it does not come back from there, it is gone.
struct Trip {
    queue: Arc<Queue>,
    /// The seat says where the writer is. Whoever took it from there since may be on the next trip already.
    over: bool,
}

impl Queue {
    pub(crate) fn new(writer: Writer) -> Arc<Self> {
        let state = State { waiting: VecDeque::new(), bytes: 0, seat: Seat::Idle(writer) };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }

    /// Adds a piece, then waits until there is room for more. A call that is cancelled has taken its piece all the same.
    pub(crate) async fn push(self: &Arc<Self>, piece: Bytes) -> Result<()> {
        self.add(|state| state.write(piece))?;
        loop {
            {
                let state = self.state();
                state.check()?;
                if state.bytes < BATCH {
                    return Ok(());
                }
            }
            self.changed.notified().await;
        }
    }

    /// Lets the writer do `work` behind everything that came before, and says when it is done. Whether anybody waits for that or not,
    /// it is done unless the queue is abandoned before its turn comes.
    pub(crate) fn then(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) -> BoxFuture<'static, Result<()>> {
        let (tell, done) = oneshot::channel();
        let added = self.add(|state| state.waiting.push_back(Job::Do(Box::new(work), tell)));
        let queue = Arc::clone(self);
        async move {
            added?;
            if done.await.is_err() {
                queue.state().check()?;
                return Err(Error::Io(io::Error::other("the upload was closed before")));
            }
            Ok(())
        }
        .boxed()
    }

    /// Forgets what waits.
    pub(crate) fn abandon(&self) {
        self.state().forget();
    }

    /// Adds something to do, and sends the writer if it is idle.
    fn add(self: &Arc<Self>, job: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        state.check()?;
        job(&mut state);
        if let Some(writer) = state.take_writer() {
            // Without the lock: at the end of the runtime the trip may be over at once.
            drop(state);
            self.send(writer);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the writer work until nothing waits.
    fn send(self: &Arc<Self>, mut writer: Writer) {
        let mut trip = Trip { queue: Arc::clone(self), over: false };
        spawn_blocking(move || {
            let queue = Arc::clone(&trip.queue);
            loop {
                let job = {
                    let mut state = queue.state();
                    let Some(job) = state.next() else {
                        state.seat = Seat::Idle(writer);
                        return trip.end();
                    };
                    job
                };
                queue.changed.notify_one();
                let (outcome, tell) = match job {
                    Job::Write(pieces) => (writer.write(&pieces), None),
                    Job::Do(work, tell) => (work(&mut writer), Some(tell)),
                };
                if let Err(error) = outcome {
                    let mut state = queue.state();
                    state.seat = Seat::Gone(error);
                    state.forget();
                    return trip.end();
                }
                // Whoever asked may be gone.
                let _ = tell.map(|tell| tell.send(()));
            }
        });
    }
}

impl State {
    fn write(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        match self.waiting.back_mut() {
            Some(Job::Write(pieces)) => pieces.push(piece),
            _ => self.waiting.push_back(Job::Write(vec![piece])),
        }
    }

    fn next(&mut self) -> Option<Job> {
        let job = self.waiting.pop_front()?;
        if let Job::Write(pieces) = &job {
            self.bytes -= pieces.iter().map(Bytes::len).sum::<usize>();
        }
        Some(job)
    }

    /// The writer, if it is idle.
    fn take_writer(&mut self) -> Option<Writer> {
        match std::mem::replace(&mut self.seat, Seat::Away) {
            Seat::Idle(writer) => Some(writer),
            seat => {
                self.seat = seat;
                None
            }
        }
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    /// Fails if the writer is gone.
    fn check(&self) -> Result<()> {
        match &self.seat {
            Seat::Gone(why) => Err(why.again()),
            Seat::Idle(_) | Seat::Away => Ok(()),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write(_) => "Write",
            Self::Do(..) => "Do",
        })
    }
}

impl Trip {
    /// The seat was told; called before the lock on it is let go.
    fn end(&mut self) {
        self.over = true;
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        if !self.over {
            let mut state = self.queue.state();
            state.seat = Seat::Gone(Error::Io(io::Error::other("the writer stopped in the middle")));
            state.forget();
        }
        self.queue.changed.notify_one();
    }
}
