//! Tests of the adapter: the port's promises, faults, and losses of power.

mod conformance;

use std::path::Path;
use std::sync::Arc;

use berth_blobs::BufferPool;
use berth_domain::SystemEntropy;

use crate::{FileSystem, FilesystemBlobs, Options};

/// The adapter over `root`.
fn blobs_at(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> FilesystemBlobs {
    let buffers = BufferPool::new(4 << 20);
    FilesystemBlobs::open(root, Arc::new(SystemEntropy), buffers, files, options).unwrap()
}
