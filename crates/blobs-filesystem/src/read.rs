//! The way out: opens the file, checks its length, and chooses how its bytes are read.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use berth_blobs::{BufferPool, ByteStream, Error, Pieces, Reading, Result, Transport};
use berth_oci::ByteRange;
use futures::{StreamExt, stream};

use crate::disk::{Disk, blocking};
use crate::doubt::Wanted;
use crate::layout::{Entry, Name};
use crate::{mapped, pooled};

/// Below this, a mapping costs more than the copy that it saves.
const LEAST_MAPPED: u64 = 256 << 10;

/// Reads a range of a published blob.
pub(crate) async fn blob(
    disk: &Arc<Disk>,
    buffers: &BufferPool,
    name: Name,
    size: u64,
    range: ByteRange,
    transport: Transport,
) -> Result<Reading> {
    let range = range.start..range.end;
    if range.end > size || range.start > range.end {
        let message = "the range does not lie within the blob";
        return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidInput, message)));
    }
    let mapping =
        disk.options.map && transport == Transport::Plain && range.end - range.start >= LEAST_MAPPED;
    let wanted = Wanted::blob(disk, name);
    let open = move || {
        let file = wanted.find(|disk| disk.files.open(&disk.layout.path(Entry::Blob(name))))?;
        let length = file.length();
        let message = || format!("it has {length} bytes instead of {size}");
        if length == size { Ok(file) } else { Err(Error::Corrupt(name.location(), message())) }
    };
    if mapping {
        let windows = blocking(move || mapped::Windows::open(open()?, range)).await?;
        let pieces = Pieces::Windows(windows.file());
        return Ok(Reading { stream: mapped::stream(windows).boxed(), pieces });
    }
    let stream = pooled::stream(blocking(open).await?, range, buffers.clone()).boxed();
    Ok(Reading { stream, pieces: Pieces::Buffers })
}

/// Reads the durable bytes of an unfinished upload.
pub(crate) async fn upload(
    disk: &Arc<Disk>,
    buffers: &BufferPool,
    name: Name,
    durable: u64,
) -> Result<ByteStream> {
    let range: Range<u64> = 0..durable;
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let wanted = Wanted::upload(disk, name);
    let open = move |disk: &Disk| -> io::Result<_> {
        let file = match disk.files.open(&disk.layout.path(Entry::Upload(name))) {
            // Its writer stopped between publishing it and telling anybody.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                disk.files.open(&disk.layout.path(Entry::Blob(name)))?
            }
            opened => opened?,
        };
        if file.length() < durable { Err(io::ErrorKind::NotFound.into()) } else { Ok(file) }
    };
    let file = blocking(move || wanted.find(open)).await?;
    Ok(pooled::stream(file, range, buffers.clone()).boxed())
}
