//! What a list of the directory makes of things that nobody put there through the port.

use std::fs;
use std::sync::Arc;

use berth_blobs::{Blobs as _, Listed};
use bytes::Bytes;
use futures::TryStreamExt as _;
use tempfile::TempDir;

use super::blobs_at;
use crate::{LocalFileSystem, Options};

#[tokio::test]
async fn what_the_adapter_never_made_is_foreign() {
    let root = TempDir::new().unwrap();
    let blobs = blobs_at(root.path(), Arc::new(LocalFileSystem), Options::default());
    let location = blobs.put(Bytes::from_static(b"berth")).await.unwrap();
    let at = |below: &str| root.path().join(below);
    let name = location.as_str().strip_prefix("file:").unwrap();
    let home = format!("blobs/{}", &name[..2]);
    let elsewhere = if name.starts_with("00") { "blobs/01" } else { "blobs/00" };
    for directory in ["blobs/3F", "blobs/300", "uploads/3f", elsewhere] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    let misplaced = format!("{elsewhere}/{name}");
    let beside = format!("{home}/{name}.bak");
    let files = ["blobs/README", "blobs/ff", "uploads/notes", misplaced.as_str(), beside.as_str()];
    for file in files {
        fs::write(at(file), b"not ours").unwrap();
    }
    std::os::unix::fs::symlink("/etc/hostname", at("uploads/3f0c9a51e2b84d3c8a7f00112233445f")).unwrap();
    // What a network file system keeps for a reader goes by itself.
    fs::write(at(&format!("{home}/.nfs000000000001")), b"berth").unwrap();
    let mut expected: Vec<String> =
        ["blobs/3F", "blobs/300", "uploads/3f", "uploads/3f0c9a51e2b84d3c8a7f00112233445f"]
            .into_iter()
            .chain(files)
            .map(|below| at(below).display().to_string())
            .collect();
    expected.sort();
    let (mut foreign, mut stored) = (Vec::new(), Vec::new());
    for listed in blobs.list().try_collect::<Vec<_>>().await.unwrap() {
        match listed {
            Listed::Bytes(bytes) => stored.push(bytes.location),
            Listed::Foreign(place) => foreign.push(place),
        }
    }
    foreign.sort();
    assert_eq!((stored, foreign), (vec![location], expected));
}
