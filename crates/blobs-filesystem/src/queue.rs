//! Where the pieces of an upload wait for its writer.
//!
//! **Invariant.** Whenever a piece waits, a blocking task is at work on it or about to be: an upload whose caller waits for a free
//! buffer must not be the one that holds it. No thread is held while nothing waits.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_blobs::{Error, Result};
use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use crate::writer::Writer;

/// How many bytes may wait; about as many again are on their way to the disk, in one write.
const BATCH: usize = 4 << 20;

/// The queue of one upload. Only one caller at a time.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Told whenever the state changes.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Bytes>,
    bytes: usize,
    seat: Seat,
}

/// Where the writer is.
#[derive(Debug)]
enum Seat {
    /// Here, with nothing to do.
    Idle(Writer),
    /// At the disk.
    Away,
    /// Gone for good, and why; nothing once that was told.
    Gone(Option<Error>),
}

/// The writer's way to the disk: if it does not come back from there, it is gone.
struct Trip {
    queue: Arc<Queue>,
    /// The seat says where the writer is. Whoever took it from there since may be on the next trip already.
    over: bool,
}

impl Queue {
    pub(crate) fn new(writer: Writer) -> Arc<Self> {
        let state = State { waiting: Vec::new(), bytes: 0, seat: Seat::Idle(writer) };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new() })
    }

    /// Adds a piece, then waits until there is room for more. A call that is cancelled has taken its piece all the same.
    pub(crate) async fn push(self: &Arc<Self>, piece: Bytes) -> Result<()> {
        {
            let mut state = self.state();
            state.bytes += piece.len();
            state.waiting.push(piece);
            if let Some(writer) = state.take_writer()? {
                self.send(writer, |_| Ok(()));
            }
        }
        self.wait_until(|state| state.bytes < BATCH).await
    }

    /// Waits until everything is written, then does `work` behind it. It is done to its end even if the call is cancelled.
    pub(crate) async fn finish(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.wait_until(|state| matches!(state.seat, Seat::Idle(_))).await?;
        if let Some(writer) = self.state().take_writer()? {
            self.send(writer, work);
        }
        self.wait_until(|state| matches!(state.seat, Seat::Idle(_))).await
    }

    /// Forgets what waits.
    pub(crate) fn abandon(&self) {
        self.state().waiting.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to be true; fails once the writer is gone.
    async fn wait_until(&self, reached: impl Fn(&State) -> bool) -> Result<()> {
        loop {
            {
                let mut state = self.state();
                state.check()?;
                if reached(&state) {
                    return Ok(());
                }
            }
            self.changed.notified().await;
        }
    }

    /// Lets the writer do `work`, and then write until nothing waits.
    fn send(
        self: &Arc<Self>,
        mut writer: Writer,
        work: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) {
        let mut trip = Trip { queue: Arc::clone(self), over: false };
        spawn_blocking(move || {
            let queue = Arc::clone(&trip.queue);
            let mut outcome = work(&mut writer);
            loop {
                let pieces = {
                    let mut state = queue.state();
                    if let Err(error) = outcome {
                        state.seat = Seat::Gone(Some(error));
                        state.waiting.clear();
                        trip.end();
                        return;
                    }
                    if state.waiting.is_empty() {
                        state.seat = Seat::Idle(writer);
                        trip.end();
                        return;
                    }
                    state.bytes = 0;
                    std::mem::take(&mut state.waiting)
                };
                queue.changed.notify_one();
                outcome = writer.write(&pieces);
            }
        });
    }
}

impl State {
    /// Fails if the writer is gone.
    fn check(&mut self) -> Result<()> {
        let Seat::Gone(why) = &mut self.seat else { return Ok(()) };
        self.waiting.clear();
        Err(why.take().unwrap_or_else(|| Error::Io(io::Error::other("this upload failed before"))))
    }

    /// The writer, if it is idle.
    fn take_writer(&mut self) -> Result<Option<Writer>> {
        self.check()?;
        match std::mem::replace(&mut self.seat, Seat::Away) {
            Seat::Idle(writer) => Ok(Some(writer)),
            _ => Ok(None),
        }
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
            state.seat = Seat::Gone(Some(Error::Io(io::Error::other("the writer stopped in the middle"))));
            state.waiting.clear();
        }
        self.queue.changed.notify_one();
    }
}
