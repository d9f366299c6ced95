//! Its files.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use berth_blobs::BLOCK;
use berth_mapped_file::Window;

use super::{FaultyFileSystem, Operation};
use crate::file_system::{ReadableFile, WritableFile};
use crate::testing::ledger::{Id, Ledger};

/// A file of a [`FaultyFileSystem`] that is open for reading.
#[derive(Debug)]
pub(super) struct FaultyReader {
    pub(super) files: FaultyFileSystem,
    pub(super) opened_at: PathBuf,
    pub(super) real: Box<dyn ReadableFile>,
}

impl FaultyReader {
    fn meet(&self) -> io::Result<()> {
        self.files.state().meet(Operation::Read, &self.opened_at)
    }
}

impl AsFd for FaultyReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.real.as_fd()
    }
}

impl ReadableFile for FaultyReader {
    fn length(&self) -> u64 {
        self.real.length()
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        self.meet()?;
        self.real.read_at(room, offset)
    }

    /// Nothing is ever in memory, so that every read meets its fault where it may block.
    fn read_cached_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn window(&self, range: Range<u64>) -> io::Result<Window> {
        self.meet()?;
        self.real.window(range)
    }

    fn forget_cached(&self) -> io::Result<()> {
        self.real.forget_cached()
    }
}

/// A file of a [`FaultyFileSystem`] that is open for writing.
#[derive(Debug)]
pub(super) struct FaultyFile {
    pub(super) files: FaultyFileSystem,
    pub(super) opened_at: PathBuf,
    pub(super) id: Id,
    /// How many crashes there had been when it was opened.
    pub(super) crashes: u64,
    pub(super) real: Box<dyn WritableFile>,
}

impl FaultyFile {
    fn step(
        &mut self,
        operation: Operation,
        work: impl FnOnce(&mut dyn WritableFile, &mut Ledger, Id) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { files, opened_at, id, crashes, real } = self;
        files.step(operation, opened_at, |ledger, now| {
            if *crashes < now {
                return Err(io::Error::other(format!(
                    "{} was open when the power went",
                    opened_at.display()
                )));
            }
            work(&mut **real, ledger, *id)
        })
    }
}

/// The slices in two parts: whole blocks stay whole, and of less than two the first part is empty.
fn halves<'a>(slices: &'a [IoSlice<'_>]) -> (Vec<IoSlice<'a>>, Vec<IoSlice<'a>>) {
    let length: usize = slices.iter().map(|slice| slice.len()).sum();
    let mut left = length / 2 / BLOCK * BLOCK;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for slice in slices {
        let (before, behind) = slice.split_at(left.min(slice.len()));
        left -= before.len();
        first.extend((!before.is_empty()).then(|| IoSlice::new(before)));
        second.extend((!behind.is_empty()).then(|| IoSlice::new(behind)));
    }
    (first, second)
}

impl WritableFile for FaultyFile {
    fn length(&self) -> io::Result<u64> {
        self.real.length()
    }

    fn write_at(&mut self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let (mut first, mut second) = halves(slices);
        let behind = offset + first.iter().map(|slice| slice.len() as u64).sum::<u64>();
        if !first.is_empty() {
            self.step(Operation::Write, |real, _, _| real.write_at(&mut first, offset))?;
        }
        self.step(Operation::Write, |real, _, _| real.write_at(&mut second, behind))
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.step(Operation::Truncate, |real, _, _| real.truncate(length))
    }

    fn set_direct(&mut self, direct: bool) -> io::Result<()> {
        self.step(Operation::SetDirect, |real, _, _| {
            // What the tests' own disk can is not in question: here it is the plan that says what cannot be.
            let _ = real.set_direct(direct);
            Ok(())
        })
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.step(Operation::SetMode, |real, _, _| real.set_mode(mode))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.sync()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step(Operation::Sync, |real, ledger, id| {
            real.sync()?;
            ledger.synced(id)
        })
    }
}
