//! Reading into buffers of the process's budget, for bytes that the program touches.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::sync::Arc;

use berth_blobs::buffer::SMALL;
use berth_blobs::{Buffer, BufferPool, Error, Result};
use bytes::Bytes;
use futures::{Stream, stream};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::spawn_blocking;

use crate::error;
use crate::layout::Name;

/// How much is read at once when buffers are scarce.
const LITTLE: usize = 16 << 10;

/// A range of a file that is read piece by piece.
#[derive(Debug)]
struct Pages {
    file: Arc<File>,
    name: Name,
    rest: Range<u64>,
    buffers: BufferPool,
    /// Whether the file system can say that a read would wait.
    nowait: bool,
}

/// The bytes of `range`, in buffers. What the page cache holds is read where the stream is polled; the rest where it may block.
pub(crate) fn stream(
    file: File,
    name: Name,
    range: Range<u64>,
    buffers: BufferPool,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let pages = Pages { file: Arc::new(file), name, rest: range, buffers, nowait: true };
    stream::try_unfold(pages, |mut pages| async move { Ok(pages.next().await?.map(|bytes| (bytes, pages))) })
}

impl Pages {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let rest = usize::try_from(self.rest.end - self.rest.start).unwrap_or(SMALL).min(SMALL);
        if rest == 0 {
            return Ok(None);
        }
        let mut buffer = match self.buffers.try_take(rest) {
            Some(buffer) => buffer,
            // The budget is used up: a little of it does, so that many slow readers do not wait for each other.
            None => self.buffers.take(rest.min(LITTLE)).await,
        };
        let wanted = rest.min(buffer.capacity());
        if !self.read_cached(&mut buffer, wanted).map_err(|e| error::reading(self.name, e))? {
            buffer = self.read_waiting(buffer, wanted).await?;
        }
        self.rest.start += buffer.len() as u64;
        Ok(Some(buffer.freeze()))
    }

    /// Reads what is in memory already; whether that was all.
    fn read_cached(&mut self, buffer: &mut Buffer, wanted: usize) -> io::Result<bool> {
        while self.nowait && buffer.len() < wanted {
            let offset = self.rest.start + buffer.len() as u64;
            let missing = wanted - buffer.len();
            let mut room = [IoSliceMut::new(&mut buffer.spare()[..missing])];
            match preadv2(&*self.file, &mut room, offset, ReadWriteFlags::NOWAIT) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => buffer.advance(read),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(false),
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => self.nowait = false,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(buffer.len() == wanted)
    }

    /// Reads the rest where that may wait for the disk.
    async fn read_waiting(&self, mut buffer: Buffer, wanted: usize) -> Result<Buffer> {
        let (file, start) = (Arc::clone(&self.file), self.rest.start);
        let read = spawn_blocking(move || {
            while buffer.len() < wanted {
                let offset = start + buffer.len() as u64;
                let missing = wanted - buffer.len();
                match rustix::io::pread(&*file, &mut buffer.spare()[..missing], offset) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(read) => buffer.advance(read),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(buffer)
        });
        let read = read.await.map_err(|stopped| Error::Io(stopped.into()))?;
        read.map_err(|e| error::reading(self.name, e))
    }
}
