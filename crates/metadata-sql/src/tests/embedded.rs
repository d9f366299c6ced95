//! SQLite: the conformance suite, and what only a file can do.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use berth_metadata::{Metadata as _, conformance};
use tempfile::TempDir;

use crate::SqlMetadata;

async fn open(directory: &TempDir) -> SqlMetadata {
    SqlMetadata::open_sqlite(&directory.path().join("berth.db")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_every_promise() {
    let directory = TempDir::new().unwrap();
    let metadata = open(&directory).await;
    conformance::run(&metadata).await;
    metadata.close().await;
    assert!(metadata.begin().await.is_err());
}

#[tokio::test]
async fn the_file_is_private() {
    let directory = TempDir::new().unwrap();
    let metadata = open(&directory).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory.path().join("berth.db")), 0o600);
    let copy = directory.path().join("copy.db");
    metadata.backup_sqlite(&copy).await.unwrap();
    assert_eq!(mode(&copy), 0o600);
}
