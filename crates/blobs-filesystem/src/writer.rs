//! The side of an upload that is at the disk. Everything here blocks.

use std::io::{self, IoSlice};
use std::sync::Arc;

use berth_blobs::{BLOCK, Error, Result};
use bytes::Bytes;
use rustix::io::Errno;

use crate::disk::Disk;
use crate::error;
use crate::fence::Pass;
use crate::file_system::WritableFile;
use crate::layout::{Entry, Name};

/// Writes the bytes of one upload, one behind the other.
#[derive(Debug)]
pub(crate) struct Writer {
    disk: Arc<Disk>,
    name: Name,
    pass: Arc<Pass>,
    /// `None` until there is a byte to write.
    file: Option<Box<dyn WritableFile>>,
    /// How many bytes the file has.
    written: u64,
    /// How many of them are durable.
    durable: u64,
    /// How many bytes came since the upload was opened.
    came: u64,
    direct: Direct,
}

/// Whether writes pass by the page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direct {
    /// Not now: too few bytes came, or the last ones were not aligned.
    Off,
    On,
    /// The file system has no such thing.
    Never,
}

impl Writer {
    /// Takes the upload over from whoever had it, and cuts off what lies behind `durable`.
    pub(crate) fn open(disk: Arc<Disk>, name: Name, durable: u64) -> Result<Self> {
        let pass = disk.fences.pass(name);
        let file = existing(&disk, name, durable).map_err(|e| error::writing(name, e))?;
        let direct = if disk.options.direct_after.is_some() { Direct::Off } else { Direct::Never };
        Ok(Self { disk, name, pass, file, written: durable, durable, came: 0, direct })
    }

    /// Writes `pieces` behind what was written so far. After an error the upload is as it was at its last checkpoint.
    pub(crate) fn write(&mut self, pieces: &[Bytes]) -> Result<()> {
        self.at_disk(|writer| writer.append(pieces))
    }

    /// Makes what was written durable, and the way to it; refuses if that is not `expected` bytes in all.
    pub(crate) fn checkpoint(&mut self, expected: u64) -> Result<()> {
        if self.written == self.durable && self.written == expected {
            return Ok(());
        }
        self.at_disk(|writer| {
            writer.expect(expected)?;
            let (first, written) = (writer.durable == 0, writer.written);
            writer.file()?.sync_data()?;
            if first {
                writer.disk.files.sync_directory(&writer.disk.layout.path(Entry::Uploads))?;
            }
            writer.durable = written;
            Ok(())
        })
    }

    /// Writes the last bytes behind `expected` others and publishes.
    pub(crate) fn publish(&mut self, expected: u64, tail: &Bytes) -> Result<()> {
        self.at_disk(|writer| {
            writer.expect(expected)?;
            writer.append(std::slice::from_ref(tail))?;
            let (disk, name, written) = (Arc::clone(&writer.disk), writer.name, writer.written);
            let file = writer.file()?;
            let length = file.length()?;
            if length != written {
                return Err(io::Error::other(format!("the file has {length} bytes instead of {written}")));
            }
            disk.publish(name, file)
        })
    }

    /// No answer says more than was written, whatever went wrong on the way here.
    fn expect(&self, bytes: u64) -> io::Result<()> {
        if self.written == bytes {
            return Ok(());
        }
        Err(io::Error::other(format!("{} bytes of the upload were written instead of {bytes}", self.written)))
    }

    /// Does `work` while nobody else may take the upload over; cleans up behind it if it fails.
    fn at_disk(&mut self, work: impl FnOnce(&mut Self) -> io::Result<()>) -> Result<()> {
        let pass = Arc::clone(&self.pass);
        let _at_disk = pass.enter().map_err(Error::Io)?;
        work(self).map_err(|error| {
            self.give_up();
            error::writing(self.name, error)
        })
    }

    fn append(&mut self, pieces: &[Bytes]) -> io::Result<()> {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        if length == 0 {
            return Ok(());
        }
        self.choose_direct(pieces)?;
        let (offset, direct) = (self.written, self.direct);
        let file = self.file()?;
        match file.write_at(&mut slices(pieces), offset) {
            // The file system said that it can, and cannot after all.
            Err(error) if direct == Direct::On && Errno::from_io_error(&error) == Some(Errno::INVAL) => {
                file.set_direct(false)?;
                file.write_at(&mut slices(pieces), offset)?;
                self.direct = Direct::Never;
            }
            outcome => outcome?,
        }
        self.written += length as u64;
        self.came += length as u64;
        Ok(())
    }

    /// Passes by the page cache once enough bytes came, for pieces that are aligned.
    fn choose_direct(&mut self, pieces: &[Bytes]) -> io::Result<()> {
        let aligned =
            |piece: &Bytes| piece.len().is_multiple_of(BLOCK) && piece.as_ptr().align_offset(BLOCK) == 0;
        let large = self.disk.options.direct_after.is_some_and(|after| self.came >= after);
        let wanted = large && self.written.is_multiple_of(BLOCK as u64) && pieces.iter().all(aligned);
        match (self.direct, wanted) {
            (Direct::Off, true) => {
                let can = self.file()?.set_direct(true).is_ok();
                self.direct = if can { Direct::On } else { Direct::Never };
            }
            (Direct::On, false) => {
                self.file()?.set_direct(false)?;
                self.direct = Direct::Off;
            }
            _ => {}
        }
        Ok(())
    }

    /// The file; made now if this is its first use.
    fn file(&mut self) -> io::Result<&mut dyn WritableFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.disk.files.create(&self.disk.layout.path(Entry::Upload(self.name)))?,
        };
        Ok(&mut **self.file.insert(file))
    }

    /// Frees the room of what was not checkpointed, as far as that is possible.
    fn give_up(&mut self) {
        if self.durable == 0 {
            self.disk.clean(self.name);
        } else if let Some(file) = &mut self.file
            && let Err(error) = file.truncate(self.durable)
        {
            tracing::warn!(name = %self.name, %error, "the bytes of a failed upload could not be cut off");
        }
    }
}

/// The file of an upload that goes on. One that has nothing durable begins anew, so that whoever still has the old file open
/// writes to nobody's bytes.
fn existing(disk: &Disk, name: Name, durable: u64) -> io::Result<Option<Box<dyn WritableFile>>> {
    if durable == 0 {
        disk.remove(Entry::Upload(name))?;
        return disk.remove(Entry::Blob(name)).map(|()| None);
    }
    let path = disk.layout.path(Entry::Upload(name));
    let mut file = match disk.files.open_for_writing(&path) {
        // Its writer stopped between publishing it and telling anybody.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.take_back(name)?;
            disk.files.open_for_writing(&path)?
        }
        opened => {
            // Where a file is moved by a link, a stop in the middle leaves it under both names; nobody was told of the second.
            disk.remove(Entry::Blob(name))?;
            opened?
        }
    };
    let length = file.length()?;
    if length < durable {
        return Err(io::ErrorKind::NotFound.into());
    }
    if length > durable {
        file.truncate(durable)?;
    }
    Ok(Some(file))
}

fn slices(pieces: &[Bytes]) -> Vec<IoSlice<'_>> {
    pieces.iter().map(|piece| IoSlice::new(piece)).collect()
}
