//! Slots: one for each body that is coming in, up to a limit. Blobs' are counted beside.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// All slots of the door.
#[derive(Debug)]
pub(crate) struct Slots {
    /// One permit a slot.
    free: Semaphore,
    /// How many blobs have one.
    blobs: AtomicUsize,
}

/// The slot of a blob's body, which counts until it is dropped.
#[derive(Debug)]
pub(crate) struct BlobSlot<'a> {
    _slot: SemaphorePermit<'a>,
    blobs: &'a AtomicUsize,
}

impl Slots {
    /// So many, all of them free.
    pub(crate) fn new(slots: usize) -> Self {
        Self { free: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)), blobs: AtomicUsize::new(0) }
    }

    /// A slot for a manifest's body; `None` if all are taken.
    pub(crate) fn for_manifest(&self) -> Option<SemaphorePermit<'_>> {
        self.free.try_acquire().ok()
    }

    /// A slot for a blob's body; `None` if all are taken.
    pub(crate) fn for_blob(&self) -> Option<BlobSlot<'_>> {
        let slot = self.free.try_acquire().ok()?;
        self.blobs.fetch_add(1, Ordering::Relaxed);
        Some(BlobSlot { _slot: slot, blobs: &self.blobs })
    }

    /// How many blobs have a slot.
    pub(crate) fn blobs(&self) -> usize {
        self.blobs.load(Ordering::Relaxed)
    }
}

impl Drop for BlobSlot<'_> {
    fn drop(&mut self) {
        self.blobs.fetch_sub(1, Ordering::Relaxed);
    }
}
