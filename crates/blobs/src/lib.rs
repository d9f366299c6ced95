//! The port to storage: bytes under names that are never used again.
//!
//! Storage holds bytes and decides nothing: which digest lies where is a row in the database, written after the bytes were
//! made durable. An adapter owes the guarantees below, and [`conformance`] proves them.
//!
//! **Invariants.** A [`Location`] is made once and never again, so a delete and a re-push of the same content cannot meet.
//! Published bytes never change. What a [`Checkpoint`] calls durable survives a loss of power. Nothing above this port assumes
//! that one blob is one file.
#![deny(missing_docs)]

pub mod buffer;
pub mod conformance;
pub mod error;
pub mod lent;

use std::fmt;

use async_trait::async_trait;
use berth_domain::Timestamp;
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

pub use berth_domain::Location;
pub use buffer::{Buffer, BufferPool, Reservation};
pub use error::Error;
pub use lent::{Lender, Lent, StoredFile, Stretch};

/// What a storage call gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The bytes of a blob on their way out. An error in the middle means that the rest cannot be had: the reader must end the
/// connection rather than let a short answer look whole.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// The unit of alignment: pieces of an upload have a length that is a multiple of it (see [`Upload::write`]).
pub const BLOCK: usize = 4096;

/// A place where bytes are kept.
#[async_trait]
pub trait Blobs: Send + Sync + fmt::Debug {
    /// Names the place of a new upload. Nothing is written yet: an upload that never gets a byte leaves nothing behind.
    fn start(&self) -> Checkpoint;

    /// Opens an upload to go on from `checkpoint`; what lies behind its durable offset is cut off and forgotten.
    /// The caller writes from [`Checkpoint::durable`] on, so the first piece begins with the checkpoint's tail.
    ///
    /// A writer may have stopped after it published the upload and before anybody heard of it: the upload goes on all the same.
    ///
    /// Fails with [`Error::Missing`] if the bytes that the checkpoint names are gone.
    async fn open(&self, checkpoint: &Checkpoint) -> Result<Box<dyn Upload>>;

    /// Stores `content` whole: when this returns, it is durable and published at the location.
    async fn put(&self, content: Bytes) -> Result<Location>;

    /// Opens `range` of the published blob of `size` bytes. The length is checked first: [`Error::Missing`] if there are no
    /// bytes, [`Error::Corrupt`] if there are more or fewer than `size`. The stream yields exactly `range.len()` bytes or an
    /// error: [`Error::Corrupt`] if it cannot be read while storage otherwise answers, [`Error::Away`] if that does not; nothing is
    /// read ahead of what the consumer takes by more than a window, and dropping the stream ends the read.
    async fn read(
        &self,
        location: &Location,
        size: u64,
        range: ByteRange,
        transport: Transport,
    ) -> Result<Reading>;

    /// The bytes of an unfinished upload, from its first to its last durable one; the tail is not among them. Every piece has a
    /// length that is a multiple of [`BLOCK`], so that each can go on to another upload as it is.
    async fn read_upload(&self, checkpoint: &Checkpoint) -> Result<ByteStream>;

    /// Removes an unfinished upload. What is already gone is no error.
    async fn discard(&self, checkpoint: &Checkpoint) -> Result<()>;

    /// Removes a published blob. What is already gone is no error; readers that have it open read on to its end.
    async fn delete(&self, location: &Location) -> Result<()>;

    /// What storage knows of one location: `None` if there is nothing.
    async fn inspect(&self, location: &Location) -> Result<Option<Stored>>;

    /// Everything that storage holds, published or not, in no order, and what lies among it that this adapter never made. What
    /// appears or goes meanwhile may be in it or not.
    fn list(&self) -> BoxStream<'static, Result<Listed>>;

    /// Whether storage answers and can be written to; for readiness.
    async fn check(&self) -> Result<()>;
}

/// One upload that is open for writing. Dropping it leaves the bytes where they are, for a later [`Blobs::open`].
#[async_trait]
pub trait Upload: Send {
    /// Takes the next piece. Returns when there is room for more, not when the piece is written: a failure may show only at the
    /// next call. Every piece but the last one before [`Upload::checkpoint`] or [`Upload::publish`] has a length that is a
    /// multiple of [`BLOCK`]; memory that is aligned to [`BLOCK`], as [`Buffer`]'s is, can go to the disk without a copy.
    async fn write(&mut self, piece: Bytes) -> Result<()>;

    /// Makes what came before this call durable and says from where to go on. It is under way when this returns, and more may be
    /// written meanwhile, which belongs to the next checkpoint; unless what came ends within a block: then this upload takes no
    /// more, and goes on when it is opened again from the checkpoint. Dropping the upload may end it without an outcome that counts.
    fn checkpoint(&mut self) -> BoxFuture<'static, Result<Checkpoint>>;

    /// Makes everything durable and publishes it. When this returns, the content survives a loss of power under the location.
    async fn publish(self: Box<Self>) -> Result<Location>;
}

/// From where an upload goes on: saved with its session, meaningful to the adapter that made it, on any machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The place that the bytes will have when published.
    pub location: Location,
    /// How many bytes from the start are durable in storage: a multiple of [`BLOCK`].
    pub durable: u64,
    /// The bytes after them that are too few to be stored yet: the caller keeps them.
    pub tail: Bytes,
    /// What else the adapter needs to go on (for example the parts of a multipart upload).
    pub state: Vec<u8>,
}

impl Checkpoint {
    /// How many bytes the upload has in all: durable ones and the tail.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.durable + self.tail.len() as u64
    }
}

/// A range of a published blob that is open.
pub struct Reading {
    /// The bytes of the range.
    pub stream: ByteStream,
    /// What they lie in.
    pub pieces: Pieces,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("pieces", &self.pieces).finish_non_exhaustive()
    }
}

/// What the pieces of a stream lie in.
#[derive(Clone, Debug)]
pub enum Pieces {
    /// Buffers out of the process's budget, for as long as somebody holds the piece.
    Buffers,
    /// Windows of the stored file, only ever by [`Transport::Plain`]: they take nothing of the budget, and what is stored may be
    /// lost while they are on their way. Only the kernel finds that out: they are to be [`Lent`].
    Windows(StoredFile),
}

/// By which way the bytes leave; it decides how they are best read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP/1.1: no code of ours looks at the bytes. The kernel sends them from the file that a slice was mapped from, where it
    /// can; else they are written from the slice.
    Plain,
    /// TLS, HTTP/2, hashing: the program touches the bytes.
    Touched,
}

/// One thing that a list of storage names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Bytes under a location.
    Bytes(Stored),
    /// Something that has no location, because the adapter never made it: where it lies, for an operator to find it.
    Foreign(String),
}

impl Listed {
    /// The bytes, if it is no foreign thing.
    #[must_use]
    pub fn bytes(self) -> Option<Stored> {
        match self {
            Self::Bytes(stored) => Some(stored),
            Self::Foreign(_) => None,
        }
    }
}

/// Bytes that storage holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it lies.
    pub location: Location,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last written to.
    pub touched_at: Timestamp,
    /// Whether it is published, or an upload that is not finished.
    pub published: bool,
}
