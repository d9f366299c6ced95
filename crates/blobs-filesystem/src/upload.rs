//! An upload that is open for writing: takes pieces while earlier ones are on their way to the disk.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use berth_blobs::{BLOCK, Checkpoint, Error, Location, Result, Upload};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, TryFutureExt as _};

use crate::layout::Name;
use crate::queue::Queue;
use crate::writer::Writer;

/// One upload. Dropping it drops what waits; a write that is under way ends by itself.
#[derive(Debug)]
pub(crate) struct FileUpload {
    name: Name,
    queue: Arc<Queue>,
    /// What came behind the last whole block.
    tail: Bytes,
    /// How many bytes of whole blocks came.
    blocks: u64,
}

impl FileUpload {
    pub(crate) fn new(writer: Writer, name: Name, durable: u64) -> Self {
        Self { name, queue: Queue::new(writer), tail: Bytes::new(), blocks: durable }
    }

    /// Takes a piece apart: its whole blocks go on, what is behind them is kept.
    fn split(&mut self, mut piece: Bytes) -> Result<Bytes> {
        if !self.tail.is_empty() && !piece.is_empty() {
            let message = "only the last piece of an upload ends within a block";
            return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidInput, message)));
        }
        let blocks = piece.len() - piece.len() % BLOCK;
        if blocks < piece.len() {
            // A copy: the tail may be kept for long, and the piece is a large buffer.
            self.tail = Bytes::copy_from_slice(&piece[blocks..]);
        }
        piece.truncate(blocks);
        self.blocks += blocks as u64;
        Ok(piece)
    }
}

#[async_trait]
impl Upload for FileUpload {
    async fn write(&mut self, piece: Bytes) -> Result<()> {
        let piece = self.split(piece)?;
        if piece.is_empty() { Ok(()) } else { self.queue.push(piece).await }
    }

    fn checkpoint(&mut self) -> BoxFuture<'static, Result<Checkpoint>> {
        let (blocks, tail) = (self.blocks, self.tail.clone());
        let checkpoint =
            Checkpoint { location: self.name.location(), durable: blocks, tail, state: Vec::new() };
        let durable = self.queue.then(move |writer| writer.checkpoint(blocks));
        durable.map_ok(|()| checkpoint).boxed()
    }

    async fn publish(mut self: Box<Self>) -> Result<Location> {
        let (blocks, tail) = (self.blocks, std::mem::take(&mut self.tail));
        self.queue.then(move |writer| writer.publish(blocks, &tail)).await?;
        Ok(self.name.location())
    }
}

impl Drop for FileUpload {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}
