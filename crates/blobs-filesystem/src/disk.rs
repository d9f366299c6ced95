//! What every part of the adapter shares: the tree, the file system, and what is known of them.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use berth_blobs::{Error, Result};
use uuid::Uuid;

use crate::fence::Fences;
use crate::file_system::FileSystem;
use crate::layout::{Entry, Layout};
use crate::{Options, error, local};

/// One root directory, open.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) files: Arc<dyn FileSystem>,
    pub(crate) layout: Layout,
    pub(crate) fences: Fences,
    /// Which of the fan-out directories are known to be there durably.
    pub(crate) fan_out: [AtomicBool; 256],
    pub(crate) options: Options,
    /// Whose directory it is, once that is known.
    pub(crate) installation: OnceLock<Uuid>,
}

impl Disk {
    /// Opens the directory and makes what is not there.
    pub(crate) fn open(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> io::Result<Self> {
        make_durably(&*files, root)?;
        let layout = Layout::new(root);
        files.make_directory(&layout.path(Entry::Blobs))?;
        files.make_directory(&layout.path(Entry::Uploads))?;
        files.sync_directory(root)?;
        Self::open_as_it_is(root, files, options)
    }

    /// Opens the directory and makes nothing.
    pub(crate) fn open_as_it_is(
        root: &Path,
        files: Arc<dyn FileSystem>,
        options: Options,
    ) -> io::Result<Self> {
        let layout = Layout::new(root);
        let map = options.map && local::is_local(root)?;
        let fan_out = [const { AtomicBool::new(false) }; 256];
        let (fences, installation) = (Fences::default(), OnceLock::new());
        Ok(Self { files, layout, fences, fan_out, options: Options { map, ..options }, installation })
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, entry: Entry) -> io::Result<()> {
        match self.files.remove(&self.layout.path(entry)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// [`Error::Away`] if the directory is no longer marked as it was, or the disk does not give that mark back.
    pub(crate) fn is_there(&self) -> Result<()> {
        let Some(ours) = self.installation.get() else { return Ok(()) };
        let path = self.layout.path(Entry::Mark);
        let why = match self.mark() {
            Ok(Some(mark)) if mark == *ours => return Ok(()),
            Ok(Some(theirs)) => io::Error::other(format!("{} names {theirs}", path.display())),
            Ok(None) => error::at(&path, &io::ErrorKind::NotFound.into()),
            Err(error) => match error::looking(&path, &error) {
                Error::Io(why) => why,
                other => return Err(other),
            },
        };
        Err(Error::Away(why))
    }

    /// Writes a block and removes it again.
    pub(crate) fn probe(&self) -> io::Result<()> {
        let path = self.layout.path(Entry::Probe);
        let taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        let mut created = self.files.create(&path);
        if created.as_ref().is_err_and(taken) {
            // Left behind by a process that stopped in the middle of this.
            self.remove(Entry::Probe)?;
            created = self.files.create(&path);
        }
        let mut file = match created {
            // Another process succeeds with it right now.
            Err(error) if taken(&error) => return Ok(()),
            created => created?,
        };
        let written = file.write_at(&mut [io::IoSlice::new(&[0; berth_blobs::BLOCK])], 0);
        let removed = self.remove(Entry::Probe);
        written.and(removed)
    }
}

/// Makes a directory and those above it, each durable in its parent.
fn make_durably(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_durably(files, parent)?;
    files.make_directory(path)?;
    files.sync_directory(parent)
}

/// Runs `work` on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|stopped| Err(Error::Io(stopped.into())))
}
