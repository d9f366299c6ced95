//! Tests of the adapter: the port's promises, faults, and losses of power.

mod backpressure;
mod conformance;
mod faults;
mod hand_over;
mod power_loss;
mod story;

use std::path::Path;
use std::sync::Arc;

use berth_blobs::{BufferPool, Result};
use berth_domain::SystemEntropy;

use crate::{FileSystem, FilesystemBlobs, Options};

/// The adapter over `root`.
fn blobs_at(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> FilesystemBlobs {
    try_blobs_at(root, files, options).unwrap()
}

fn try_blobs_at(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> Result<FilesystemBlobs> {
    FilesystemBlobs::open(root, Arc::new(SystemEntropy), BufferPool::new(4 << 20), files, options)
}
