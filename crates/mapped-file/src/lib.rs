//! Windows of a file as bytes that the kernel can send without a copy; the one crate with `unsafe`.
//!
//! # Why this is sound enough
//! A mapping shows the file as it is, so its bytes must not change and must not go away while somebody looks at them.
//!
//! - **Nobody of ours changes them.** Only published files are mapped. They are read-only, never written to, never shortened,
//!   and go by being unlinked, which leaves a mapping whole until it is dropped.
//! - **Nobody of ours looks at them.** The bytes of a window are handed to `write` and `writev` and to nothing else, or not even to
//!   those where the kernel sends the same bytes from the file. If a page is lost all the same (the disk fails, somebody else shortens
//!   the file), the kernel meets the hole on its own side of the call and answers `EFAULT`: the connection ends, the process lives, and
//!   whoever was sending tells whoever lent the window. A program that touched the page itself would die of SIGBUS, so whatever
//!   encrypts, frames or hashes the bytes must read the file instead.
#![deny(missing_docs, missing_debug_implementations)]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use bytes::Bytes;
use memmap2::{Advice, Mmap, MmapOptions};
use rustix::io::Errno;

/// What the processor's tables can map in one entry. A window that covers such a unit whole costs next to nothing to map, and
/// its pages are cheap to reach, if the page cache holds them as one.
const HUGE: u64 = 2 << 20;

/// A file that is never changed, to be looked at through windows.
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    length: u64,
}

impl MappedFile {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }

    /// Takes a file that is open for reading.
    pub fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }

    /// How long the file was when it was opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Maps `range` and brings all its pages into memory, so that sending them waits for no disk. Blocks while it does.
    ///
    /// A range behind the end is [`io::ErrorKind::UnexpectedEof`]; a page that cannot be brought in is `EIO`.
    pub fn window(&self, range: Range<u64>) -> io::Result<Window> {
        if range.end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(range.end.saturating_sub(range.start))
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        if length == 0 {
            return Ok(Window::default());
        }
        // More is mapped than was asked for, so that whole units are covered; only what was asked for is brought in.
        let start = range.start - range.start % HUGE;
        let end = range.end.next_multiple_of(HUGE).min(self.length);
        let skipped = usize::try_from(range.start - start).map_err(|_| io::ErrorKind::InvalidInput)?;
        let covered = usize::try_from(end - start).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut options = MmapOptions::new();
        options.offset(start).len(covered);
        // SAFETY: the file is a published one, which nobody changes or shortens, and the bytes are only ever handed to the
        // kernel, which answers a lost page with EFAULT (see the top of this file).
        let mapping = unsafe { options.map(&self.file) }?;
        if range.end - range.start >= HUGE {
            // What is not in memory yet is read in whole units then. A kernel without them says no, which is no harm.
            let _ = mapping.advise(Advice::HugePage);
        }
        populate(&mapping, skipped, length)?;
        Ok(Window { bytes: Bytes::from_owner(mapping).slice(skipped..skipped + length) })
    }
}

impl AsFd for MappedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Brings in every page of a part. A kernel older than 5.14 cannot be told to wait for them; it is asked to read ahead instead.
fn populate(mapping: &Mmap, from: usize, length: usize) -> io::Result<()> {
    let Err(error) = mapping.advise_range(Advice::PopulateRead, from, length) else {
        return Ok(());
    };
    match Errno::from_io_error(&error) {
        Some(Errno::INVAL) => mapping.advise_range(Advice::WillNeed, from, length),
        // Where touching the page would be a SIGBUS: it lies behind the end, or the disk cannot read it.
        Some(Errno::FAULT | Errno::HWPOISON) => Err(Errno::IO.into()),
        _ => Err(error),
    }
}

/// A mapped part of a file. The mapping lives as long as the window or any slice of it.
#[derive(Debug, Default)]
pub struct Window {
    bytes: Bytes,
}

impl Window {
    /// How many bytes are left in the window.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all of the window was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next bytes, at most `most` of them; `None` at the end. They are for `write` and `writev` alone.
    pub fn take(&mut self, most: usize) -> Option<Bytes> {
        let length = most.min(self.bytes.len());
        (length > 0).then(|| self.bytes.split_to(length))
    }
}

#[cfg(test)]
mod tests;
