//! Whose directory it is: a file names the installation, so that an empty directory, such as the place of a volume that is not
//! mounted, is not taken for ours.

use std::io::{self, IoSlice, Read as _};

use berth_blobs::{Error, Result};
use uuid::Uuid;

use crate::FilesystemBlobs;
use crate::disk::Disk;
use crate::layout::{Entry, Name};

/// Longer than any mark that is written here.
const LONGEST: u64 = 100;

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
    /// What the mark says.
    pub(crate) fn mark(&self) -> io::Result<Option<Uuid>> {
        let file = match self.files.open(&self.layout.path(Entry::Mark)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text)?;
        let named = Uuid::try_parse(text.trim());
        named.map(Some).map_err(|_| io::Error::other("it names no installation"))
    }

    fn set_mark(&self, new: Name, installation: Uuid) -> io::Result<()> {
        let path = self.layout.path(Entry::NewMark(new));
        let mut file = self.files.create(&path)?;
        file.write_at(&mut [IoSlice::new(format!("{installation}\n").as_bytes())], 0)?;
        file.sync()?;
        match self.files.rename(&path, &self.layout.path(Entry::Mark)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.remove(Entry::NewMark(new))?,
            renamed => renamed?,
        }
        self.files.sync_directory(&self.layout.path(Entry::Root))
    }
}
