//! The machine's own file system, with something of a test around each of its writes.

use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::file_system::{FileSystem, LocalFileSystem, ReadableFile, WritableFile};

/// What stands around each write. Clones are one.
pub trait AroundWrite: Clone + fmt::Debug + Send + Sync + 'static {
    /// Does `write`, which writes `length` bytes from `offset` on to the file at `path`.
    fn around(
        &self,
        path: &Path,
        offset: u64,
        length: u64,
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()>;
}

/// The file system whose writes that stands around. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub struct AroundWrites<A>(pub A);

impl<A: AroundWrite> AroundWrites<A> {
    fn surround(&self, path: &Path, real: Box<dyn WritableFile>) -> Box<dyn WritableFile> {
        Box::new(SurroundedFile { around: self.0.clone(), path: path.to_path_buf(), real })
    }
}

impl<A: AroundWrite> FileSystem for AroundWrites<A> {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        LocalFileSystem.make_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        LocalFileSystem.sync_directory(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        Ok(self.surround(path, LocalFileSystem.create(path)?))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        Ok(self.surround(path, LocalFileSystem.open_for_writing(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadableFile>> {
        LocalFileSystem.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalFileSystem.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalFileSystem.remove(path)
    }
}

#[derive(Debug)]
struct SurroundedFile<A> {
    around: A,
    path: PathBuf,
    real: Box<dyn WritableFile>,
}

impl<A: AroundWrite> WritableFile for SurroundedFile<A> {
    fn length(&self) -> io::Result<u64> {
        self.real.length()
    }

    fn write_at(&mut self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let Self { around, path, real } = self;
        let length = slices.iter().map(|slice| slice.len() as u64).sum();
        around.around(path, offset, length, || real.write_at(slices, offset))
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.real.truncate(length)
    }

    fn set_direct(&mut self, direct: bool) -> io::Result<()> {
        self.real.set_direct(direct)
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.real.set_mode(mode)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.real.sync_data()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.real.sync()
    }
}
