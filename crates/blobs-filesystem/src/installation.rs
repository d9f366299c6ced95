//! Whose directory it is: a file names the installation, so that an empty directory, such as the place of a volume that is not
//! mounted, is not taken for ours.

use std::io::{self, IoSlice};

use berth_blobs::{BLOCK, Error, Result};
use uuid::Uuid;

use crate::FilesystemBlobs;
use crate::disk::Disk;
use crate::layout::{Entry, Name};

/// How much of the mark is read: more than it says.
const LONGEST: usize = 100;

impl FilesystemBlobs {
    /// The installation whose directory it is; `None` if nobody marked it. From now on the directory is only ready while that
    /// mark is there.
    pub async fn installation(&self) -> Result<Option<Uuid>> {
        let marked = self.on_disk(|disk| disk.mark().map_err(Error::Io)).await?;
        if let Some(installation) = marked {
            self.disk.installation.get_or_init(|| installation);
        }
        Ok(marked)
    }

    /// Marks the directory durably, unless another process just did. An error if that one marked it otherwise.
    pub async fn mark(&self, installation: Uuid) -> Result<()> {
        let new = Name::random(&*self.entropy);
        self.on_disk(move |disk| disk.set_mark(new, installation).map_err(Error::Io)).await?;
        match self.installation().await? {
            Some(marked) if marked == installation => Ok(()),
            _ => Err(Error::Io(io::Error::other(
                "another process marked the directory for another installation",
            ))),
        }
    }
}

impl Disk {
    /// What the mark says, as the disk has it.
    pub(crate) fn mark(&self) -> io::Result<Option<Uuid>> {
        let file = match self.files.open(&self.layout.path(Entry::Mark)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        // Memory goes on to say what a disk said that is gone by now.
        file.forget_cached()?;
        let mut mark = [0; LONGEST];
        let read = file.read_at(&mut mark, 0)?;
        let named =
            std::str::from_utf8(&mark[..read]).ok().and_then(|text| Uuid::try_parse(text.trim()).ok());
        named.map(Some).ok_or_else(|| io::Error::other("it names no installation"))
    }

    fn set_mark(&self, new: Name, installation: Uuid) -> io::Result<()> {
        let path = self.layout.path(Entry::NewMark(new));
        let mut file = self.files.create(&path)?;
        // A whole block: a file system may keep a few bytes with the file's name, which it remembers when the disk is gone.
        let text = format!("{:BLOCK$}", format!("{installation}\n"));
        file.write_at(&mut [IoSlice::new(text.as_bytes())], 0)?;
        file.sync()?;
        match self.files.rename(&path, &self.layout.path(Entry::Mark)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.remove(Entry::NewMark(new))?,
            renamed => renamed?,
        }
        self.files.sync_directory(&self.layout.path(Entry::Root))
    }
}
