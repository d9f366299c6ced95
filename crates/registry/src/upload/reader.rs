//! Reading a body: its frames, whether it keeps what was announced, and its first buffer.

use std::pin::Pin;
use std::time::Duration;

use berth_blobs::buffer::LARGE;
use berth_blobs::{Buffer, BufferPool};
use bytes::{Buf as _, Bytes};
use futures::StreamExt as _;
use tokio::time::{Instant, Sleep, sleep};

use super::ChunkPosition;
use super::writers::Registration;
use crate::{BodyError, Error, Incoming, Result};

/// The first buffer of a body whose length nobody knows: most such bodies are small.
const UNKNOWN: usize = 64 << 10;
/// A body that does not fill its memory in so long gives it to others, if they need it: a trickle holds nobody up.
const IDLE: Duration = Duration::from_secs(1);

/// A body that is being read.
pub(crate) struct Reader {
    body: Incoming,
    /// How many bytes there must be, if anybody said so.
    announced: Option<u64>,
    received: u64,
    /// The part of the last frame that no buffer has taken yet.
    rest: Bytes,
    /// Runs on from one wait to the next: a timer for each frame would cost more than the frame.
    timer: Option<Pin<Box<Sleep>>>,
    /// When memory that is held by now must be given to others, if they need it; begins with the first wait that holds some.
    due: Option<Instant>,
}

/// What reading on brought.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes, to be poured.
    More,
    /// Nothing for a while, and other bodies need memory.
    Idle,
    /// The body is over.
    Over(Ending),
}

/// How a body ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Whole.
    Complete,
    /// Not as it should.
    Flawed(Flaw),
}

/// Why a body did not end whole.
#[derive(Debug)]
pub(crate) enum Flaw {
    /// It broke off; what came is good.
    Broken(BodyError),
    /// Another request takes the session over; what came is good.
    Stopped,
    /// It is not what the request said; what came is not to be kept.
    Wrong(Error),
}

/// The first part of a body.
#[derive(Debug)]
pub(crate) enum Head {
    /// All of it: the tail and what came, and how it ended.
    Whole(Bytes, Ending),
    /// The tail and what came, in a buffer that is full or that others need. There may be more.
    Part(Buffer),
}

impl Reader {
    /// Reads `body`, which stands at `position`, into a session that has `offset` bytes.
    pub(crate) fn new(position: ChunkPosition, offset: u64, body: Incoming) -> Result<Self> {
        let said = match position {
            ChunkPosition::Next => None,
            ChunkPosition::At(range) if range.start != offset => return Err(Error::OutOfOrder { offset }),
            ChunkPosition::At(range) => Some(range.len()),
        };
        match (said, body.length) {
            (Some(expected), Some(actual)) if expected != actual => {
                Err(Error::SizeMismatch { expected, actual })
            }
            _ => Ok(Self {
                announced: body.length.or(said),
                body,
                received: 0,
                rest: Bytes::new(),
                timer: None,
                due: None,
            }),
        }
    }

    /// Reads until there is something to pour; ends early when the writer is asked to stop.
    pub(crate) async fn step(&mut self, registration: &Registration) -> Step {
        while self.rest.is_empty() {
            if self.body.length == Some(self.received) {
                return Step::Over(Ending::Complete);
            }
            if registration.is_stopped() {
                return Step::Over(Ending::Flawed(Flaw::Stopped));
            }
            // In this order a frame that is there costs no listening for the stop.
            let frame = tokio::select! {
                biased;
                frame = self.body.stream.next() => frame,
                () = registration.stopped() => return Step::Over(Ending::Flawed(Flaw::Stopped)),
            };
            match frame {
                Some(Ok(bytes)) => {
                    self.received += bytes.len() as u64;
                    self.rest = bytes;
                    if self.announced.is_some_and(|announced| self.received > announced) {
                        return Step::Over(Ending::Flawed(self.wrong()));
                    }
                }
                Some(Err(error)) => return Step::Over(Ending::Flawed(Flaw::Broken(error))),
                None => return Step::Over(self.end()),
            }
        }
        Step::More
    }

    /// Like [`Reader::step`], for who holds memory of the pool meanwhile.
    pub(crate) async fn step_or_idle(&mut self, registration: &Registration, pool: &BufferPool) -> Step {
        let mut timer = self.timer.take().unwrap_or_else(|| Box::pin(sleep(IDLE)));
        let mut due = self.due.unwrap_or_else(|| Instant::now() + IDLE);
        let step = loop {
            let step = tokio::select! {
                biased;
                step = self.step(registration) => Some(step),
                () = timer.as_mut() => None,
            };
            let now = Instant::now();
            if now >= due && !matches!(step, Some(Step::Over(_))) {
                due = now + IDLE;
                if pool.in_use() + LARGE > pool.budget() {
                    break Step::Idle;
                }
            }
            match step {
                Some(step) => break step,
                None => timer.as_mut().reset(due),
            }
        };
        (self.timer, self.due) = (Some(timer), Some(due));
        step
    }

    /// Takes memory of the pool; from now on it is held.
    pub(crate) async fn take(&mut self, pool: &BufferPool, capacity: usize) -> Buffer {
        let buffer = pool.take(capacity).await;
        self.due = None;
        buffer
    }

    /// Moves as much of what was read into the buffer as fits.
    pub(crate) fn pour(&mut self, buffer: &mut Buffer) {
        let taken = buffer.append(&self.rest);
        self.rest.advance(taken);
        if self.rest.is_empty() {
            // An empty part too would keep the frame's memory, into which the connection can read what comes next.
            self.rest = Bytes::new();
        }
    }

    /// Whether everything that was read is poured.
    pub(crate) fn is_dry(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the first part of the body behind `tail` into one buffer. Memory is asked for when the first byte has come.
    pub(crate) async fn head(
        &mut self,
        pool: &BufferPool,
        tail: &Bytes,
        registration: &Registration,
    ) -> Head {
        if let Step::Over(ending) = self.step(registration).await {
            return Head::Whole(tail.clone(), ending);
        }
        let capacity = match self.announced {
            Some(length) => usize::try_from(length).unwrap_or(LARGE).saturating_add(tail.len()).min(LARGE),
            None => (UNKNOWN + tail.len()).min(LARGE),
        };
        let mut buffer = self.take(pool, capacity).await;
        buffer.append(tail);
        loop {
            self.pour(&mut buffer);
            if buffer.is_full() && !(self.is_dry() && self.body.length == Some(self.received)) {
                return Head::Part(buffer);
            }
            match self.step_or_idle(registration, pool).await {
                Step::More => {}
                Step::Idle => return Head::Part(buffer),
                Step::Over(ending) => return Head::Whole(buffer.freeze(), ending),
            }
        }
    }

    /// What the end of the stream means.
    fn end(&self) -> Ending {
        match self.announced {
            Some(announced) if self.received < announced => Ending::Flawed(match self.body.length {
                Some(_) => Flaw::Broken(BodyError::Disconnected),
                None => self.wrong(),
            }),
            _ => Ending::Complete,
        }
    }

    fn wrong(&self) -> Flaw {
        let expected = self.announced.unwrap_or(self.received);
        Flaw::Wrong(Error::SizeMismatch { expected, actual: self.received })
    }
}
