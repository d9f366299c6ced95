//! A large body on its way in: received, hashed and written at the same time, with checkpoints between.

use berth_blobs::buffer::LARGE;
use berth_blobs::{BLOCK, Buffer, BufferPool, Upload};
use berth_metadata::UploadSession;
use berth_oci::Digest;
use bytes::Bytes;

use super::hashing::Hashing;
use super::lease::Lease;
use super::reader::{Ending, Reader, Step};
use super::row::Hold;
use super::visit::hasher;
use crate::Result;

/// A session whose bytes are open for writing.
pub(crate) struct Ingest {
    lease: Lease,
    upload: Box<dyn Upload>,
    hashing: Hashing,
    /// Bytes behind the last checkpoint that the next buffer begins with; they are hashed already.
    carried: Bytes,
    /// Bytes that come behind those; they are neither hashed nor written, because they fill no block.
    pending: Bytes,
    /// Where the next piece goes.
    position: u64,
    since_checkpoint: u64,
}

impl Ingest {
    /// Opens the session's bytes; the first buffer begins with its tail.
    pub(crate) async fn open(lease: Lease) -> Result<Self> {
        let opened = match hasher(lease.session()) {
            Ok(hasher) => lease.open().await.map(|upload| (upload, hasher)),
            Err(error) => Err(error),
        };
        match opened {
            Ok((upload, hasher)) => {
                let (position, carried) = (lease.session().durable, lease.session().tail.clone());
                let hashing = Hashing::new(hasher);
                Ok(Self {
                    lease,
                    upload,
                    hashing,
                    carried,
                    pending: Bytes::new(),
                    position,
                    since_checkpoint: 0,
                })
            }
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    /// Takes the whole body in: `head`, which begins with the tail, and the rest.
    pub(crate) async fn run(&mut self, head: Buffer, reader: &mut Reader) -> Result<Ending> {
        self.lease.progress().await?;
        self.hand_on(head).await?;
        loop {
            if self.since_checkpoint >= self.lease.visit.registry.settings().checkpoint_every
                && self.pending.is_empty()
            {
                self.begin_checkpoint(Hold::Kept).await?;
            }
            if let Some(ending) = self.next_buffer(reader).await? {
                return Ok(ending);
            }
        }
    }

    /// Begins a checkpoint of what came so far, and lets more come meanwhile if that is whole blocks. The one before it is waited for:
    /// never more than two of them are missing from the row.
    async fn begin_checkpoint(&mut self, hold: Hold) -> Result<()> {
        self.since_checkpoint = 0;
        self.lease.advance(self.upload.checkpoint(), self.hashing.hasher(), hold).await
    }

    /// Fills one buffer and hands it on; `Some` if the body ended.
    async fn next_buffer(&mut self, reader: &mut Reader) -> Result<Option<Ending>> {
        let mut ending = None;
        // Memory is asked for when there are bytes to put into it.
        if reader.is_dry() {
            match reader.step(&self.lease.registration).await {
                Step::Over(over) => ending = Some(over),
                Step::More | Step::Idle => self.lease.progress().await?,
            }
        }
        if ending.is_some() && self.carried.is_empty() && self.pending.is_empty() {
            return Ok(ending);
        }
        let pool: BufferPool = self.lease.visit.registry.ports().incoming.clone();
        let mut buffer = reader.take(&pool, LARGE).await;
        buffer.append(&self.carried);
        buffer.append(&std::mem::take(&mut self.pending));
        while ending.is_none() {
            reader.pour(&mut buffer);
            if buffer.is_full() {
                break;
            }
            match reader.step_or_idle(&self.lease.registration, &pool).await {
                Step::More => self.lease.progress().await?,
                Step::Idle => {
                    self.hand_on(buffer).await?;
                    return Ok(None);
                }
                Step::Over(over) => ending = Some(over),
            }
        }
        self.push(buffer.freeze()).await?;
        Ok(ending)
    }

    /// Hands on what fills blocks and keeps a copy of the rest, so that the buffer's memory goes back.
    async fn hand_on(&mut self, buffer: Buffer) -> Result<()> {
        let filled = buffer.freeze();
        let mut blocks = filled.len() - filled.len() % BLOCK;
        if blocks <= self.carried.len() {
            blocks = 0;
        }
        let kept = if blocks == 0 { self.carried.len() } else { blocks };
        self.pending = Bytes::copy_from_slice(&filled[kept..]);
        if blocks > 0 {
            self.push(filled.slice(..blocks)).await?;
        }
        Ok(())
    }

    /// Hands a piece, which begins with what is carried, to the hash and to storage.
    async fn push(&mut self, piece: Bytes) -> Result<()> {
        let hashed = std::mem::take(&mut self.carried).len();
        self.position += piece.len() as u64;
        self.since_checkpoint += piece.len() as u64;
        self.hashing.push(piece.slice(hashed..)).await;
        Ok(self.upload.write(piece).await?)
    }

    /// Makes everything durable and then says so in the row. Nothing is written afterwards.
    pub(crate) async fn checkpoint(&mut self, hold: Hold) -> Result<()> {
        self.begin_checkpoint(hold).await?;
        self.lease.settle().await
    }

    /// The digest of everything, by the session's algorithm.
    pub(crate) async fn digest(&mut self) -> Digest {
        self.hashing.hasher().await.digest()
    }

    /// How many bytes there are in all.
    pub(crate) const fn size(&self) -> u64 {
        self.position
    }

    /// The session as its row has it.
    pub(crate) fn session(&self) -> &UploadSession {
        self.lease.session()
    }

    /// Ends writing; storage keeps what it has.
    pub(crate) fn into_parts(self) -> (Lease, Box<dyn Upload>) {
        (self.lease, self.upload)
    }

    /// Gives up: the session stays at its last checkpoint.
    pub(crate) async fn abandon(self) {
        drop(self.upload);
        self.lease.release().await;
    }
}
