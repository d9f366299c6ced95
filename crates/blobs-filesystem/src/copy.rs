//! Copies of published blobs below another root: backups and what is restored from them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use berth_blobs::{Location, Result};

use crate::disk::blocking;
use crate::error;
use crate::layout::{Entry, Layout, Name};

/// Copies of published blobs, from below one root to below another. Below the first one nothing is ever made or changed, so it may be
/// read-only.
#[derive(Clone, Debug)]
pub struct BlobCopies {
    from: Layout,
    to: Layout,
}

impl BlobCopies {
    /// Between two roots, the second of which is there.
    #[must_use]
    pub fn new(from: &Path, to: &Path) -> Self {
        Self { from: Layout::new(from), to: Layout::new(to) }
    }

    /// Brings one blob along, so that this adapter finds it under the same location: by a hard link where both roots are on one
    /// volume, else by a copy. There already is fine. It is durable after [`BlobCopies::sync`].
    pub async fn bring(&self, location: &Location) -> Result<()> {
        let (name, copies) = (Name::of(location)?, self.clone());
        let from = copies.from.path(Entry::Blob(name));
        let linked = move || {
            link_or_copy(&from, &copies.to, name).map_err(|error| error::reading(name, &from, &error))
        };
        blocking(linked).await
    }

    /// Removes all copies below a root where nothing else was. Blocks meanwhile.
    pub fn remove(root: &Path) -> Result<()> {
        let layout = Layout::new(root);
        for directory in [Entry::Blobs, Entry::Uploads] {
            match fs::remove_dir_all(layout.path(directory)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error::in_directory(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes all of them durable.
    pub async fn sync(&self) -> Result<()> {
        let to = self.to.clone();
        blocking(move || sync(&to).map_err(error::in_directory)).await
    }
}

fn link_or_copy(from: &Path, target: &Layout, name: Name) -> io::Result<()> {
    fs::create_dir_all(target.path(Entry::FanOut(name.fan_out())))?;
    let to = target.path(Entry::Blob(name));
    match fs::hard_link(from, &to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        // Another volume, or a file system without links.
        Err(_) => copy(from, target, name),
        Ok(()) => Ok(()),
    }
}

fn copy(from: &Path, target: &Layout, name: Name) -> io::Result<()> {
    let unfinished = target.path(Entry::Upload(name));
    fs::create_dir_all(target.path(Entry::Uploads))?;
    fs::copy(from, &unfinished)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, target.path(Entry::Blob(name)))
}

fn sync(layout: &Layout) -> io::Result<()> {
    let directories = (0..=u8::MAX).map(Entry::FanOut).chain([Entry::Blobs, Entry::Root]);
    for directory in directories {
        match File::open(layout.path(directory)) {
            Ok(open) => open.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::sync::Arc;

    use berth_blobs::{Blobs, BufferPool};
    use berth_domain::SystemEntropy;
    use bytes::Bytes;

    use super::*;
    use crate::{FilesystemBlobs, LocalFileSystem, Options};

    fn open(parent: &Path, name: &str) -> FilesystemBlobs {
        let (entropy, buffers) = (Arc::new(SystemEntropy), BufferPool::new(1 << 20));
        let files = Arc::new(LocalFileSystem);
        FilesystemBlobs::open(&parent.join(name), entropy, buffers, files, Options::default()).unwrap()
    }

    #[tokio::test]
    async fn a_copy_has_the_same_location_below_another_root() {
        let parent = tempfile::tempdir().unwrap();
        let (from, to) = (open(parent.path(), "from"), open(parent.path(), "to"));
        let location = from.put(Bytes::from_static(b"berth")).await.unwrap();
        let copies = BlobCopies::new(&parent.path().join("from"), &parent.path().join("to"));
        for _ in 0..2 {
            copies.bring(&location).await.unwrap();
        }
        copies.sync().await.unwrap();
        assert_eq!(to.inspect(&location).await.unwrap().unwrap().size, 5);
        from.delete(&location).await.unwrap();
        assert_eq!(to.inspect(&location).await.unwrap().unwrap().size, 5);
        let gone = BlobCopies::new(&parent.path().join("from"), &parent.path().join("to2"));
        let outcome = gone.bring(&location).await;
        assert!(matches!(outcome, Err(berth_blobs::Error::Missing(_))), "{outcome:?}");
    }

    /// No link leads to another volume. A test has only one, so it asks for the copy.
    #[tokio::test]
    async fn where_no_link_leads_the_bytes_are_copied_and_published() {
        let parent = tempfile::tempdir().unwrap();
        let (from, to) = (open(parent.path(), "from"), open(parent.path(), "to"));
        let content: Vec<u8> = (0..5_000_003_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let location = from.put(content.clone().into()).await.unwrap();
        let name = Name::of(&location).unwrap();
        let [source, target] = ["from", "to"].map(|root| Layout::new(&parent.path().join(root)));
        let [source_path, path] = [&source, &target].map(|layout| layout.path(Entry::Blob(name)));
        fs::create_dir_all(target.path(Entry::FanOut(name.fan_out()))).unwrap();
        copy(&source_path, &target, name).unwrap();
        assert!(fs::read(&path).unwrap() == content);
        let (original, copied) = (fs::metadata(&source_path).unwrap(), fs::metadata(&path).unwrap());
        assert_ne!(copied.ino(), original.ino(), "it is no link");
        assert_eq!(copied.permissions().mode() & 0o7777, 0o440);
        assert_eq!(fs::read_dir(target.path(Entry::Uploads)).unwrap().count(), 0, "nothing is left behind");
        let stored = to.inspect(&location).await.unwrap().unwrap();
        assert!(stored.published && stored.size == content.len() as u64);
    }
}
