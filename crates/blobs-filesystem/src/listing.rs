//! What storage holds, as the directories tell it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use berth_blobs::{Error, Result, Stored};
use berth_domain::Timestamp;
use futures::{Stream, StreamExt, stream};

use crate::disk::{Disk, blocking};
use crate::error;
use crate::layout::{Entry, Name};

/// What lies under one name, published or not.
pub(crate) fn one(disk: &Disk, name: Name) -> io::Result<Option<Stored>> {
    for entry in [Entry::Blob(name), Entry::Upload(name)] {
        match fs::symlink_metadata(disk.layout.path(entry)) {
            Ok(found) if found.is_file() => return Ok(Some(stored(entry, name, &found))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// Everything, one directory after the other: at most one directory's worth is held in memory.
pub(crate) fn all(disk: Arc<Disk>) -> impl Stream<Item = Result<Stored>> + Send + 'static {
    let published = (0..=u8::MAX).map(Entry::FanOut);
    stream::iter(std::iter::once(Entry::Uploads).chain(published))
        .then(move |directory| {
            let disk = Arc::clone(&disk);
            blocking(move || in_directory(&disk, directory).map_err(error::in_directory))
        })
        .flat_map(|found| match found {
            Ok(found) => stream::iter(found).map(Ok).left_stream(),
            Err(error) => stream::iter([Err::<Stored, Error>(error)]).right_stream(),
        })
}

/// What lies in one directory under a name that this adapter gives; other files are not ours to speak of.
fn in_directory(disk: &Disk, directory: Entry) -> io::Result<Vec<Stored>> {
    let entries = match fs::read_dir(disk.layout.path(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(name) = Path::new(&file_name).to_str().and_then(Name::parse) else { continue };
        let place = match directory {
            Entry::Uploads => Entry::Upload(name),
            _ => Entry::Blob(name),
        };
        if disk.layout.path(place) != entry.path() {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => found.push(stored(place, name, &metadata)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(found)
}

fn stored(entry: Entry, name: Name, metadata: &Metadata) -> Stored {
    // The change of mode and place at publishing counts as a touch, so the later of the two times.
    let written = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    let (seconds, nanoseconds) = written.max(changed);
    let touched_at = Timestamp::from_micros(seconds.saturating_mul(1_000_000) + nanoseconds / 1000);
    let published = matches!(entry, Entry::Blob(_));
    Stored { location: name.location(), size: metadata.len(), touched_at, published }
}
