//! Tests of the adapter: the port's promises, faults, and losses of power.

mod backpressure;
mod conformance;
mod direct;
mod doubt;
mod faults;
mod hand_over;
mod listing;
mod power_loss;
mod story;

use std::path::Path;
use std::sync::Arc;

use berth_blobs::{Blobs as _, BufferPool, Result, Stored};
use berth_domain::SystemEntropy;
use futures::TryStreamExt as _;

use crate::{FileSystem, FilesystemBlobs, Options};

/// The adapter over `root`.
fn blobs_at(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> FilesystemBlobs {
    try_blobs_at(root, files, options).unwrap()
}

/// All bytes that storage holds; there is nothing else.
async fn stored(blobs: &FilesystemBlobs) -> Vec<Stored> {
    let listed = blobs.list().try_collect::<Vec<_>>().await.unwrap();
    listed.into_iter().map(|listed| listed.clone().bytes().unwrap_or_else(|| panic!("{listed:?}"))).collect()
}

fn try_blobs_at(root: &Path, files: Arc<dyn FileSystem>, options: Options) -> Result<FilesystemBlobs> {
    FilesystemBlobs::open(root, Arc::new(SystemEntropy), BufferPool::new(4 << 20), files, options)
}
