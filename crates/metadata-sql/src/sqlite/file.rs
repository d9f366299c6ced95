//! The file that is open, and whether it is still the one at the path. Whatever is written to one that has no name any more, or another
//! than it had, is lost with the process, and no statement fails.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file by the path at which it was opened.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    path: PathBuf,
    identity: Identity,
}

/// Which file it is, wherever it is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Why it is not the one at the path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nothing is there, or nothing that can be looked at.
    #[error(
        "the file {path}, which is open, is not there any more: put it back, or stop Berth and restore a backup"
    )]
    Gone {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another file is there.
    #[error("another file stands at {path} than the one that is open: put that back, or start Berth again")]
    Replaced {
        /// The path.
        path: String,
    },
}

impl OpenFile {
    /// The file at the path, which was opened just now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: Identity::of(path)? })
    }

    /// Where it was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether it is still there. By its name only: a second descriptor of the file, once closed, would take the locks with it
    /// that SQLite has on the first.
    pub(crate) fn look(&self) -> Result<(), Lost> {
        let path = self.path.display().to_string();
        match Identity::of(&self.path) {
            Ok(there) if there == self.identity => Ok(()),
            Ok(_) => Err(Lost::Replaced { path }),
            Err(source) => Err(Lost::Gone { path, source }),
        }
    }
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}
