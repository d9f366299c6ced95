//! The data directory of an embedded installation: one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A data directory that is locked for this process until it is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is not there, readable by nobody else, and locks it. Fails with the other process named if
    /// another one has it.
    pub fn lock(path: &Path) -> Result<Self> {
        create(path)?;
        let file = path.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&file)
            .with_context(|| {
                format!("{} cannot be opened: check its owner and permissions", file.display())
            })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the data directory {} is in use by another Berth ({}): end that one, or choose another directory with --data",
                path.display(),
                holder(&mut lock),
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", file.display()));
            }
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "process {}", std::process::id())).with_context(
            || format!("{} cannot be written: check its permissions and the disk's space", file.display()),
        )?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Fails if another process has the data directory. Nothing in it is changed, and it may be read-only.
pub(crate) fn ensure_at_rest(path: &Path) -> Result<()> {
    let Ok(mut lock) = File::open(path.join("lock")) else { return Ok(()) };
    if matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        bail!(
            "{} is in use by another Berth ({}): end that one, or make a backup of it with `berth backup` and name that",
            path.display(),
            holder(&mut lock),
        );
    }
    Ok(())
}

/// Whether a server may be at work in the data directory, or begin to be: one was before, and its files can be written.
pub(crate) fn may_be_served(path: &Path, database: &Path) -> bool {
    let can_be_written = || OpenOptions::new().append(true).open(database).is_ok();
    path.join("lock").exists() && can_be_written()
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(1..) => text.trim().to_owned(),
        _ => "process unknown".to_owned(),
    }
}

/// Makes a directory and its parents, readable by nobody else and durable; there already is fine.
pub(crate) fn create(path: &Path) -> Result<()> {
    create_durably(path).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                "a file has its name or a parent's: choose another"
            }
            _ => "check the permissions of its parent",
        };
        anyhow::Error::new(error)
            .context(format!("the directory {} cannot be made: {remedy}", path.display()))
    })
}

/// What is acknowledged later is durable in a directory only if that is durable in its parent.
fn create_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_durably(parent)?;
    match DirBuilder::new().mode(0o700).create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn is_private_and_for_one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let first = DataDirectory::lock(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let refused = DataDirectory::lock(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        DataDirectory::lock(&path).unwrap();
    }

    #[test]
    fn a_file_in_its_place_is_told_of() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("a");
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("b")] {
            let refused = DataDirectory::lock(&path).unwrap_err().to_string();
            assert!(refused.contains("a file"), "{refused}");
        }
    }
}
