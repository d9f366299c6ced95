//! Reading into buffers of the process's budget, for bytes that the program touches.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use berth_blobs::buffer::SMALL;
use berth_blobs::{Buffer, BufferPool, Result};
use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::Notify;

use crate::disk::blocking;
use crate::doubt::Found;

/// How much is read at once when buffers are scarce.
const LITTLE: usize = 16 << 10;
/// Which part of the budget is kept for reads of so little: a quarter.
const RESERVED_PART: usize = 4;

/// A range of a file that is read piece by piece.
#[derive(Debug)]
struct Pages {
    file: Arc<Found>,
    rest: Range<u64>,
    buffers: BufferPool,
    /// Whether the file system can say that a read would wait.
    nowait: bool,
    out: Arc<Out>,
}

/// The pieces of one reader that have not left yet.
#[derive(Debug, Default)]
struct Out {
    pieces: AtomicUsize,
    left: Notify,
}

/// A piece on its way.
struct Piece {
    buffer: Buffer,
    out: Arc<Out>,
}

impl Out {
    /// The bytes of a buffer, counted until they are dropped.
    fn count(self: &Arc<Self>, buffer: Buffer) -> Bytes {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Piece { buffer, out: Arc::clone(self) })
    }

    /// Done when none is on its way.
    async fn all_left(&self) {
        while self.pieces.load(Ordering::Acquire) > 0 {
            self.left.notified().await;
        }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.out.pieces.fetch_sub(1, Ordering::Release);
        self.out.left.notify_one();
    }
}

/// The bytes of `range`, in buffers. What the page cache holds is read where the stream is polled; the rest where it may block.
pub(crate) fn stream(
    file: Found,
    range: Range<u64>,
    buffers: BufferPool,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let pages = Pages { file: Arc::new(file), rest: range, buffers, nowait: true, out: Arc::default() };
    stream::try_unfold(pages, |mut pages| async move { Ok(pages.next().await?.map(|bytes| (bytes, pages))) })
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let rest = usize::try_from(self.rest.end - self.rest.start).unwrap_or(SMALL).min(SMALL);
        if rest == 0 {
            return Ok(None);
        }
        let mut buffer = self.take(rest).await;
        let wanted = rest.min(buffer.capacity());
        if !self.read_cached(&mut buffer, wanted) {
            buffer = self.read_waiting(buffer, wanted).await?;
        }
        self.rest.start += buffer.len() as u64;
        Ok(Some(self.out.count(buffer)))
    }

    /// Memory for up to `rest` bytes. When large buffers are used up, a little does, and of that each reader has one at a time: a few
    /// slow ones do not hold up all others.
    async fn take(&self, rest: usize) -> Buffer {
        let reserve = self.buffers.budget() / RESERVED_PART;
        if let Some(buffer) = self.buffers.try_take_beside(rest, reserve) {
            return buffer;
        }
        self.out.all_left().await;
        match self.buffers.try_take_beside(rest, reserve) {
            Some(buffer) => buffer,
            None => self.buffers.take(rest.min(LITTLE)).await,
        }
    }

    /// Reads what is in memory already; whether that was all. What else there is to say of it is said where it may block.
    fn read_cached(&mut self, buffer: &mut Buffer, wanted: usize) -> bool {
        while self.nowait && buffer.len() < wanted {
            let (offset, missing) = (self.rest.start + buffer.len() as u64, wanted - buffer.len());
            match self.file.read_cached_at(&mut buffer.spare()[..missing], offset) {
                Ok(0) => return false,
                Ok(read) => buffer.advance(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => self.nowait = false,
            }
        }
        buffer.len() == wanted
    }

    /// Reads the rest where that may wait for the disk.
    async fn read_waiting(&self, mut buffer: Buffer, wanted: usize) -> Result<Buffer> {
        let (file, start) = (Arc::clone(&self.file), self.rest.start);
        blocking(move || file.fill(&mut buffer, wanted, start).map(|()| buffer)).await
    }
}
