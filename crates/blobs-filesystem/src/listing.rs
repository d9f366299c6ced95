//! What storage holds, as the directories tell it.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use berth_blobs::{Error, Listed, Result, Stored};
use berth_domain::Timestamp;
use futures::{Stream, StreamExt, stream};

use crate::disk::{Disk, blocking};
use crate::error;
use crate::layout::{Entry, Name};

/// How the name begins that NFS gives to a removed file until its last reader is done.
const HELD_OPEN: &str = ".nfs";

/// What lies under one name, published or not.
pub(crate) fn one(disk: &Disk, name: Name) -> io::Result<Stored> {
    for entry in [Entry::Blob(name), Entry::Upload(name)] {
        match fs::symlink_metadata(disk.layout.path(entry)) {
            Ok(found) if found.is_file() => return Ok(stored(entry, name, &found)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Everything, one directory after the other: at most one directory's worth is held in memory.
pub(crate) fn all(disk: Arc<Disk>) -> impl Stream<Item = Result<Listed>> + Send + 'static {
    let fan_out = (0..=u8::MAX).map(Entry::FanOut);
    stream::iter([Entry::Uploads, Entry::Blobs].into_iter().chain(fan_out))
        .then(move |directory| {
            let disk = Arc::clone(&disk);
            let path = disk.layout.path(directory);
            blocking(move || in_directory(&disk, directory).map_err(|error| error::looking(&path, &error)))
        })
        .flat_map(|found| match found {
            Ok(found) => stream::iter(found).map(Ok).left_stream(),
            Err(error) => stream::iter([Err::<Listed, Error>(error)]).right_stream(),
        })
}

/// What lies in one directory.
fn in_directory(disk: &Disk, directory: Entry) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(disk.layout.path(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // Foreign, as the list of the directory that it is in says.
        Err(error)
            if error.kind() == io::ErrorKind::NotADirectory && matches!(directory, Entry::FanOut(_)) =>
        {
            return Ok(Vec::new());
        }
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        match look_at(disk, directory, &entry?) {
            Ok(listed) => found.extend(listed),
            // It went meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// `None` for what has its place there without being bytes.
fn look_at(disk: &Disk, directory: Entry, entry: &DirEntry) -> io::Result<Option<Listed>> {
    let metadata = entry.metadata()?;
    let (path, file_name) = (entry.path(), entry.file_name());
    let text = file_name.to_str().unwrap_or_default();
    if let Some(name) = Name::parse(text).filter(|_| metadata.is_file()) {
        let place = match directory {
            Entry::Uploads => Entry::Upload(name),
            _ => Entry::Blob(name),
        };
        if disk.layout.path(place) == path {
            return Ok(Some(Listed::Bytes(stored(place, name, &metadata))));
        }
    }
    let digits = u8::from_str_radix(text, 16).ok().filter(|_| metadata.is_dir());
    let is_fan_out = digits.is_some_and(|digits| disk.layout.path(Entry::FanOut(digits)) == path);
    let is_ours = is_fan_out || text.starts_with(HELD_OPEN);
    Ok((!is_ours).then(|| Listed::Foreign(path.display().to_string())))
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
