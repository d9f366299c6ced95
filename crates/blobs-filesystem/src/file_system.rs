//! The seam to the file system: every operation whose effect must survive a loss of power goes through here, and everything that
//! reads what a blob is.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, IoSlice, IoSliceMut};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use berth_mapped_file::{MappedFile, Window};
use rustix::fs::{Advice, CWD, OFlags, RenameFlags, fadvise, fcntl_setfl, renameat_with};
use rustix::io::{Errno, ReadWriteFlags, pread, preadv2, pwritev};

/// The mode of a file that is being written.
pub(crate) const UNFINISHED: u32 = 0o640;
/// The mode of a published file.
pub(crate) const PUBLISHED: u32 = 0o440;
/// The mode of directories.
const DIRECTORY: u32 = 0o750;
/// The most slices that one call takes (`IOV_MAX`).
const MOST_SLICES: usize = 1024;

/// What the adapter asks of a file system. All of it may block.
pub trait FileSystem: Send + Sync + fmt::Debug {
    /// Makes a directory; its parent must exist. One that is there already is no error.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a directory durable, as they are now.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes a new file, mode 0640; fails if there is one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WritableFile>>;
    /// Opens a file that is there for writing.
    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn WritableFile>>;
    /// Opens a file that is there for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadableFile>>;
    /// Moves a file in one step; fails if there is one of the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// A file that is open for reading.
pub trait ReadableFile: AsFd + Send + Sync + fmt::Debug {
    /// Its length when it was opened.
    fn length(&self) -> u64;
    /// Reads bytes from `offset` on, as many as come at once and `room` takes; none behind the end. May block.
    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;
    /// The same of what is in memory, without blocking: [`io::ErrorKind::WouldBlock`] if the first byte is not. Fails in another way
    /// where the file system cannot say.
    fn read_cached_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize>;
    /// A part of it as a window; blocks until that is in memory.
    fn window(&self, range: Range<u64>) -> io::Result<Window>;
    /// Has the next read ask the disk, as far as nobody else needs what is in memory.
    fn forget_cached(&self) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait WritableFile: Send + fmt::Debug {
    /// Its length now.
    fn length(&self) -> io::Result<u64>;
    /// Writes all the bytes of `slices`, one behind the other, from `offset` on.
    fn write_at(&mut self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Cuts off what lies behind `length`.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Whether writes pass by the page cache from now on: memory, offsets and lengths must be aligned to a block then. Fails
    /// where the file system has no such thing.
    fn set_direct(&mut self, direct: bool) -> io::Result<()>;
    /// Changes its mode.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;
    /// Makes its bytes durable.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Makes its bytes and its mode durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFileSystem;

impl FileSystem for LocalFileSystem {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(DIRECTORY).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            outcome => outcome,
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(UNFINISHED).open(path)?;
        Ok(Box::new(LocalFile { file }))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        let open = || OpenOptions::new().write(true).open(path);
        let file = match open() {
            // It was about to be published when its writer stopped, so it is read-only already.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                fs::set_permissions(path, Permissions::from_mode(UNFINISHED))?;
                open()?
            }
            opened => opened?,
        };
        Ok(Box::new(LocalFile { file }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadableFile>> {
        Ok(Box::new(MappedFile::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system that cannot promise it (NFS): a second name cannot replace one either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => move_by_link(from, to),
            outcome => Ok(outcome?),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// Gives a file its new name and then takes the old one away; both lead to it in between, and after a stop in between. An
/// answer may be lost on its way from the server: what is done already is no error.
fn move_by_link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && are_one(from, to)? => {}
        outcome => outcome?,
    }
    match fs::remove_file(from) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            // Never two names for what is not published: a writer would change what readers see.
            fs::remove_file(to)?;
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Whether two names lead to one file.
fn are_one(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

impl ReadableFile for MappedFile {
    fn length(&self) -> u64 {
        Self::length(self)
    }

    fn read_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match pread(self, &mut *room, offset) {
                Err(Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    fn read_cached_at(&self, room: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            let mut room = [IoSliceMut::new(&mut *room)];
            match preadv2(self, &mut room, offset, ReadWriteFlags::NOWAIT) {
                Err(Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    fn window(&self, range: Range<u64>) -> io::Result<Window> {
        Self::window(self, range)
    }

    fn forget_cached(&self) -> io::Result<()> {
        Ok(fadvise(self, 0, None, Advice::DontNeed)?)
    }
}

/// A file of the machine's own file system.
#[derive(Debug)]
struct LocalFile {
    file: File,
}

impl WritableFile for LocalFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn write_at(&mut self, mut slices: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let written = match pwritev(&self.file, &slices[..slices.len().min(MOST_SLICES)], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            IoSlice::advance_slices(&mut slices, written);
            offset += written as u64;
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn set_direct(&mut self, direct: bool) -> io::Result<()> {
        let flags = if direct { OFlags::DIRECT } else { OFlags::empty() };
        Ok(fcntl_setfl(&self.file, flags)?)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_by_link_ends_with_one_name_and_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| directory.path().join(name));
        fs::write(&from, "berth").unwrap();
        fs::write(&to, "another").unwrap();
        assert_eq!(move_by_link(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&from).unwrap(), "berth");
        fs::remove_file(&to).unwrap();
        // The process stopped between the two steps, or the answer to the first was lost.
        fs::hard_link(&from, &to).unwrap();
        move_by_link(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "berth");
        assert!(!from.exists());
    }
}
