//! Blobs in a directory: the storage adapter for a local disk or a shared volume.
//!
//! **Invariants.** A name is random and used once. A file under `blobs/` is whole, synced, 0440, and never changes. Whatever is
//! acknowledged was synced before, with the directory entries that lead to it. Every operation that must survive a loss of power
//! goes through [`FileSystem`], so that tests can fail it or cut the power there; only [`BlobCopies`] do without. No locks are kept
//! in the directory: several processes may share it, and which of them may write an upload is the database's to say.
//!
//! Where to read: `layout` draws the tree, `upload`, `queue` and `writer` follow a push, `publish` makes it durable, `read` and its
//! two ways `mapped` and `pooled` follow a pull, and `doubt` decides what a read that failed says of a blob.
#![deny(missing_docs)]

mod copy;
mod disk;
mod doubt;
mod error;
mod fence;
pub mod file_system;
mod installation;
mod layout;
mod listing;
mod local;
mod mapped;
mod pooled;
mod publish;
mod queue;
mod read;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod upload;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use berth_blobs::{
    Blobs, BufferPool, ByteStream, Checkpoint, Error, Listed, Location, Reading, Result, Stored, Transport,
    Upload,
};
use berth_domain::Entropy;
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;

pub use copy::BlobCopies;
use disk::{Disk, blocking};
use doubt::Wanted;
pub use file_system::{FileSystem, LocalFileSystem, ReadableFile, WritableFile};
pub use layout::MARK;
use layout::{Entry, Name};
use upload::FileUpload;
use writer::Writer;

/// What can be set of the adapter.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// After how many bytes of a body the page cache is bypassed; `None` for never.
    pub direct_after: Option<u64>,
    /// Whether files may be mapped into memory to be sent; only ever done on local file systems.
    pub map: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { direct_after: Some(64 << 20), map: true }
    }
}

/// Blobs in a directory.
#[derive(Debug)]
pub struct FilesystemBlobs {
    disk: Arc<Disk>,
    entropy: Arc<dyn Entropy>,
    /// The budget for bytes on their way out.
    outgoing: BufferPool,
}

impl FilesystemBlobs {
    /// Opens the directory `root`; makes it, and what belongs in it, if it is not there. Blocks meanwhile.
    pub fn open(
        root: &Path,
        entropy: Arc<dyn Entropy>,
        outgoing: BufferPool,
        files: Arc<dyn FileSystem>,
        options: Options,
    ) -> Result<Self> {
        let disk = Disk::open(root, files, options).map_err(error::in_directory)?;
        Ok(Self { disk: Arc::new(disk), entropy, outgoing })
    }

    /// Opens the directory `root`, which is there, to look at it: nothing is made in it. Blocks meanwhile.
    pub fn open_as_it_is(
        root: &Path,
        entropy: Arc<dyn Entropy>,
        outgoing: BufferPool,
        files: Arc<dyn FileSystem>,
        options: Options,
    ) -> Result<Self> {
        let disk = Disk::open_as_it_is(root, files, options);
        let disk = disk.map_err(|error| error::looking(root, &error))?;
        Ok(Self { disk: Arc::new(disk), entropy, outgoing })
    }

    /// Runs `work` on the disk where it may block.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        blocking(move || work(&disk)).await
    }

    /// The outcome of writing, unless it failed only because the whole directory is not there, as when its volume is not mounted.
    async fn unless_away<T>(&self, outcome: Result<T>) -> Result<T> {
        if matches!(outcome, Err(Error::Missing(_) | Error::Io(_))) {
            self.on_disk(Disk::is_there).await?;
        }
        outcome
    }
}

#[async_trait]
impl Blobs for FilesystemBlobs {
    fn start(&self) -> Checkpoint {
        let name = Name::random(&*self.entropy);
        Checkpoint { location: name.location(), durable: 0, tail: Bytes::new(), state: Vec::new() }
    }

    async fn open(&self, checkpoint: &Checkpoint) -> Result<Box<dyn Upload>> {
        let name = Name::of(&checkpoint.location)?;
        let (disk, durable) = (Arc::clone(&self.disk), checkpoint.durable);
        let writer = blocking(move || Writer::open(disk, name, durable)).await;
        Ok(Box::new(FileUpload::new(self.unless_away(writer).await?, name, durable)))
    }

    async fn put(&self, content: Bytes) -> Result<Location> {
        let name = Name::random(&*self.entropy);
        let location = name.location();
        let put =
            self.on_disk(move |disk| disk.put(name, content).map_err(|e| error::writing(name, e))).await;
        self.unless_away(put).await?;
        Ok(location)
    }

    async fn read(
        &self,
        location: &Location,
        size: u64,
        range: ByteRange,
        transport: Transport,
    ) -> Result<Reading> {
        let name = Name::of(location)?;
        read::blob(&self.disk, &self.outgoing, name, size, range, transport).await
    }

    async fn read_upload(&self, checkpoint: &Checkpoint) -> Result<ByteStream> {
        let name = Name::of(&checkpoint.location)?;
        read::upload(&self.disk, &self.outgoing, name, checkpoint.durable).await
    }

    async fn discard(&self, checkpoint: &Checkpoint) -> Result<()> {
        let name = Name::of(&checkpoint.location)?;
        self.on_disk(move |disk| {
            disk.fences.revoke(name);
            disk.remove(Entry::Upload(name)).map_err(|e| error::writing(name, e))
        })
        .await
    }

    async fn delete(&self, location: &Location) -> Result<()> {
        let name = Name::of(location)?;
        self.on_disk(move |disk| disk.remove(Entry::Blob(name)).map_err(|e| error::writing(name, e))).await
    }

    async fn inspect(&self, location: &Location) -> Result<Option<Stored>> {
        let name = Name::of(location)?;
        let wanted = Wanted::blob(&self.disk, name);
        match blocking(move || wanted.twice(|disk| listing::one(disk, name))).await {
            Err(Error::Missing(_)) => Ok(None),
            found => found.map(Some),
        }
    }

    fn list(&self) -> BoxStream<'static, Result<Listed>> {
        listing::all(Arc::clone(&self.disk)).boxed()
    }

    async fn check(&self) -> Result<()> {
        self.on_disk(|disk| {
            disk.is_there()?;
            disk.probe().map_err(error::in_directory)
        })
        .await
    }
}
