//! The promises of the port, kept on a real directory.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use berth_blobs::conformance::{Damage, Subject, run};
use berth_blobs::{Blobs, Location};
use tempfile::TempDir;

use super::blobs_at;
use crate::layout::{Entry, Layout, Name};
use crate::{LocalFileSystem, Options};

struct Directory {
    root: TempDir,
    options: Options,
    blobs: Arc<dyn Blobs>,
}

impl Directory {
    fn new(options: Options) -> Self {
        let root = TempDir::new().unwrap();
        let blobs = Arc::new(blobs_at(root.path(), Arc::new(LocalFileSystem), options));
        Self { root, options, blobs }
    }
}

#[async_trait]
impl Subject for Directory {
    fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::clone(&self.blobs)
    }

    async fn reopen(&self) -> Arc<dyn Blobs> {
        Arc::new(blobs_at(self.root.path(), Arc::new(LocalFileSystem), self.options))
    }

    async fn damage(&self, location: &Location, damage: Damage) {
        let (layout, name) = (Layout::new(self.root.path()), Name::of(location).unwrap());
        let places = [layout.path(Entry::Blob(name)), layout.path(Entry::Upload(name))];
        let path = places.iter().find(|path| path.exists()).unwrap();
        inflict(path, damage);
    }
}

fn inflict(path: &Path, damage: Damage) {
    if damage == Damage::Remove {
        return fs::remove_file(path).unwrap();
    }
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(if damage == Damage::Shorten { length - 1 } else { length + 1 }).unwrap();
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    run(&Directory::new(Options::default())).await;
}

#[tokio::test]
async fn keeps_them_without_maps_and_past_the_page_cache() {
    run(&Directory::new(Options { direct_after: Some(0), map: false })).await;
}
