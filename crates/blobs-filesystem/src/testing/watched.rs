//! The machine's own file system, and which writes passed by the page cache, by what the kernel says of the open files.

use std::fs;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_blobs::{BLOCK, BufferPool};
use rustix::fs::{Mode, OFlags};

use crate::file_system::{FileSystem, LocalFileSystem, ReadableFile, WritableFile};

/// One call that wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where in its file it began.
    pub offset: u64,
    /// How many bytes it wrote.
    pub length: u64,
    /// Whether the file was open with `O_DIRECT`.
    pub direct: bool,
}

/// A file system whose writes a test can look at. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub struct WatchedFileSystem {
    writes: Arc<Mutex<Vec<Write>>>,
}

impl WatchedFileSystem {
    /// Every write so far, in the order in which they were done.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.lock().clone()
    }

    /// Whether a file in `directory` can be written to past the page cache. The file system may have no such thing, or ask for larger
    /// blocks.
    #[must_use]
    pub fn can_pass_by_the_page_cache(directory: &Path) -> bool {
        let path = directory.join("passes-by");
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::DIRECT;
        let written = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).and_then(|file| {
            let mut block = BufferPool::new(0).try_take(BLOCK).ok_or(rustix::io::Errno::NOMEM)?;
            block.append(&[1; BLOCK]);
            rustix::io::pwrite(&file, block.as_ref(), 0)
        });
        // One that could not be opened so may not be there.
        let _ = fs::remove_file(&path);
        written.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Write>> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, path: &Path, real: Box<dyn WritableFile>) -> Box<dyn WritableFile> {
        Box::new(WatchedFile { files: self.clone(), path: path.to_path_buf(), real })
    }
}

impl FileSystem for WatchedFileSystem {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        LocalFileSystem.make_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        LocalFileSystem.sync_directory(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        Ok(self.watch(path, LocalFileSystem.create(path)?))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        Ok(self.watch(path, LocalFileSystem.open_for_writing(path)?))
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
struct WatchedFile {
    files: WatchedFileSystem,
    path: PathBuf,
    real: Box<dyn WritableFile>,
}

impl WritableFile for WatchedFile {
    fn length(&self) -> io::Result<u64> {
        self.real.length()
    }

    fn write_at(&mut self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let length: u64 = slices.iter().map(|slice| slice.len() as u64).sum();
        let direct = is_direct(&self.path)?;
        self.real.write_at(slices, offset)?;
        self.files.lock().push(Write { offset, length, direct });
        Ok(())
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

/// Whether this process has the file open with `O_DIRECT`, and in no other way.
fn is_direct(path: &Path) -> io::Result<bool> {
    let path = path.canonicalize()?;
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        // What another thread has closed meanwhile leads nowhere.
        if fs::read_link(entry.path()).is_ok_and(|target| target == path) {
            let about = Path::new("/proc/self/fdinfo").join(entry.file_name());
            open.push(flags(&fs::read_to_string(about)?)?.contains(OFlags::DIRECT));
        }
    }
    match open[..] {
        [direct] => Ok(direct),
        _ => Err(io::Error::other(format!("{} is open {} times", path.display(), open.len()))),
    }
}

/// The flags that the kernel tells of an open file.
fn flags(about: &str) -> io::Result<OFlags> {
    let octal = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let bits = octal.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
    bits.map(OFlags::from_bits_retain).ok_or_else(|| io::Error::other(format!("no flags in {about:?}")))
}
