//! Which writes passed by the page cache, by what the kernel says of the open files.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_blobs::{BLOCK, BufferPool};
use rustix::fs::{Mode, OFlags};

use super::AroundWrite;

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

/// Writes that a test can look at. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub struct WatchedWrites {
    writes: Arc<Mutex<Vec<Write>>>,
}

impl WatchedWrites {
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
}

impl AroundWrite for WatchedWrites {
    fn around(
        &self,
        path: &Path,
        offset: u64,
        length: u64,
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let direct = is_direct(path)?;
        write()?;
        self.lock().push(Write { offset, length, direct });
        Ok(())
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
