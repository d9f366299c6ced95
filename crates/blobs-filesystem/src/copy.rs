//! Copies of published blobs below another root: backups and what is restored from them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use berth_blobs::{Location, Result};

use crate::FilesystemBlobs;
use crate::error;
use crate::layout::{Entry, Layout, Name};

impl FilesystemBlobs {
    /// Brings a published blob below `root`, so that this adapter finds it there under the same location: by a hard link where
    /// both are on one volume, else by a copy. There already is fine. It is durable after [`sync_copies`].
    pub async fn copy_to(&self, location: &Location, root: &Path) -> Result<()> {
        let name = Name::of(location)?;
        let target = Layout::new(root);
        self.on_disk(move |disk| {
            let from = disk.layout.path(Entry::Blob(name));
            link_or_copy(&from, &target, name).map_err(|e| error::reading(name, e))
        })
        .await
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

/// Makes all blobs durable that were copied below `root`. Blocks meanwhile.
pub fn sync_copies(root: &Path) -> io::Result<()> {
    let layout = Layout::new(root);
    let directories = (0..=u8::MAX).map(Entry::FanOut).chain([Entry::Blobs]).map(|entry| layout.path(entry));
    for directory in directories.chain([root.to_path_buf()]) {
        match File::open(&directory) {
            Ok(open) => open.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use berth_blobs::{Blobs, BufferPool};
    use berth_domain::SystemEntropy;
    use bytes::Bytes;

    use super::*;
    use crate::{LocalFileSystem, Options};

    #[tokio::test]
    async fn a_copy_has_the_same_location_below_another_root() {
        let parent = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let (root, buffers) = (parent.path().join(name), BufferPool::new(1 << 20));
            let files = Arc::new(LocalFileSystem);
            FilesystemBlobs::open(&root, Arc::new(SystemEntropy), buffers, files, Options::default()).unwrap()
        };
        let (from, to) = (open("from"), open("to"));
        let location = from.put(Bytes::from_static(b"berth")).await.unwrap();
        for _ in 0..2 {
            from.copy_to(&location, &parent.path().join("to")).await.unwrap();
        }
        sync_copies(&parent.path().join("to")).unwrap();
        assert_eq!(to.inspect(&location).await.unwrap().unwrap().size, 5);
        from.delete(&location).await.unwrap();
        assert_eq!(to.inspect(&location).await.unwrap().unwrap().size, 5);
        assert!(from.copy_to(&location, &parent.path().join("to2")).await.is_err());
    }
}
