//! One read that failed says nothing of the bytes: while a server or a cable is at fault, each blob that somebody asks for looks lost.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use berth_blobs::{Buffer, Result};
use berth_mapped_file::Window;

use crate::disk::Disk;
use crate::error;
use crate::file_system::ReadableFile;
use crate::layout::{Entry, Name};

/// Bytes that somebody wants to read.
#[derive(Debug)]
pub(crate) struct Wanted {
    disk: Arc<Disk>,
    name: Name,
    /// Where they should be.
    path: PathBuf,
}

/// The file that they are in, open.
#[derive(Debug)]
pub(crate) struct Found {
    wanted: Wanted,
    file: Box<dyn ReadableFile>,
}

impl Wanted {
    /// The bytes of a published blob.
    pub(crate) fn blob(disk: &Arc<Disk>, name: Name) -> Self {
        Self { disk: Arc::clone(disk), name, path: disk.layout.path(Entry::Blob(name)) }
    }

    /// Those of an unfinished upload.
    pub(crate) fn upload(disk: &Arc<Disk>, name: Name) -> Self {
        Self { disk: Arc::clone(disk), name, path: disk.layout.path(Entry::Upload(name)) }
    }

    /// Does `read`, which may block and goes on where it failed. That the bytes are not there or cannot be read is said only if the same is
    /// found once more, and storage otherwise answers before and after that.
    pub(crate) fn twice<T>(&self, mut read: impl FnMut(&Disk) -> io::Result<T>) -> Result<T> {
        let Self { disk, name, path } = self;
        match read(disk) {
            Err(error) if error::condemns(&error) => {
                tracing::warn!(path = %path.display(), %error, "a read failed: if storage answers, it is tried again");
            }
            outcome => return outcome.map_err(|error| error::reading(*name, path, &error)),
        }
        disk.is_there()?;
        match read(disk) {
            Err(error) if error::condemns(&error) => {
                disk.is_there()?;
                Err(error::condemned(*name, &error))
            }
            outcome => outcome.map_err(|error| error::reading(*name, path, &error)),
        }
    }

    /// Opens the file by `open`.
    pub(crate) fn find(self, open: impl FnMut(&Disk) -> io::Result<Box<dyn ReadableFile>>) -> Result<Found> {
        let file = self.twice(open)?;
        Ok(Found { wanted: self, file })
    }
}

impl Found {
    /// Its length when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.file.length()
    }

    /// Reads on until `buffer` has `wanted` bytes, of which the first is at `start`. Blocks.
    pub(crate) fn fill(&self, buffer: &mut Buffer, wanted: usize, start: u64) -> Result<()> {
        self.wanted.twice(|_| {
            while buffer.len() < wanted {
                let (offset, missing) = (start + buffer.len() as u64, wanted - buffer.len());
                match self.file.read_at(&mut buffer.spare()[..missing], offset)? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    read => buffer.advance(read),
                }
            }
            Ok(())
        })
    }

    /// What of it is in memory, without a judgement: see [`ReadableFile::read_cached_at`].
    pub(crate) fn read_cached_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_cached_at(room, offset)
    }

    /// Maps a part of it. Blocks until it is in memory.
    pub(crate) fn window(&self, range: &Range<u64>) -> Result<Window> {
        self.wanted.twice(|_| self.file.window(range.clone()))
    }
}

impl AsFd for Found {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
