//! The disk's last step of a push: from a written file to a durable, published one, of which no row knows yet.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::disk::Disk;
use crate::file_system::{PUBLISHED, UNFINISHED, WritableFile};
use crate::layout::{Entry, Name};

impl Disk {
    /// Makes a written upload durable and moves it to its published place. If that fails, it lies where it lay before.
    pub(crate) fn publish(&self, name: Name, file: &mut dyn WritableFile) -> io::Result<()> {
        file.set_mode(PUBLISHED)?;
        file.sync()?;
        self.make_fan_out(name.fan_out())?;
        let upload = self.layout.path(Entry::Upload(name));
        let blob = self.layout.path(Entry::Blob(name));
        self.files.rename(&upload, &blob)?;
        // Only the new entry: the old one goes with it on every file system with a journal, and is a leftover that nothing names
        // on others. Syncing that directory too was measured to double the time of a small push.
        let synced = self.files.sync_directory(&self.layout.path(Entry::FanOut(name.fan_out())));
        if synced.is_err()
            && let Err(error) = self.files.rename(&blob, &upload).and_then(|()| file.set_mode(UNFINISHED))
        {
            tracing::warn!(%name, %error, "a blob that could not be synced stays, and nothing names it");
        }
        synced
    }

    /// Makes a published blob that nobody was told of an upload again. The caller alone knows its name, and nothing is written
    /// before it is durable that the published place is empty.
    pub(crate) fn take_back(&self, name: Name) -> io::Result<()> {
        self.files.rename(&self.layout.path(Entry::Blob(name)), &self.layout.path(Entry::Upload(name)))?;
        self.files.sync_directory(&self.layout.path(Entry::Uploads))?;
        self.files.sync_directory(&self.layout.path(Entry::FanOut(name.fan_out())))
    }

    /// Stores a whole blob.
    pub(crate) fn put(&self, name: Name, content: Bytes) -> io::Result<()> {
        let mut file = self.files.create(&self.layout.path(Entry::Upload(name)))?;
        let stored =
            file.write_at(&mut [IoSlice::new(&content)], 0).and_then(|()| self.publish(name, &mut *file));
        drop(content);
        if stored.is_err() {
            self.clean(name);
        }
        stored
    }

    /// Removes what is left of a failed upload, as far as that is possible.
    pub(crate) fn clean(&self, name: Name) {
        if let Err(error) = self.remove(Entry::Upload(name)) {
            tracing::warn!(%name, %error, "the bytes of a failed upload could not be removed");
        }
    }

    /// Makes sure that a fan-out directory is there durably. One that another process made may not be synced yet.
    fn make_fan_out(&self, digits: u8) -> io::Result<()> {
        let known = &self.fan_out[usize::from(digits)];
        if !known.load(Ordering::Acquire) {
            self.files.make_directory(&self.layout.path(Entry::FanOut(digits)))?;
            self.files.sync_directory(&self.layout.path(Entry::Blobs))?;
            known.store(true, Ordering::Release);
        }
        Ok(())
    }
}
