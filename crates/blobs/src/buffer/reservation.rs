//! Room in the budget for bytes that lie elsewhere than in buffers.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::BufferPool;
use crate::BLOCK;

/// Bytes that the budget counts although they are not its own memory, until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    bytes: usize,
    permit: OwnedSemaphorePermit,
}

impl BufferPool {
    /// Counts `bytes`; waits until the budget has room, in the order of coming. More than the whole budget takes all of it.
    pub async fn reserve(&self, bytes: usize) -> Reservation {
        let permit = Arc::clone(&self.inner.budget)
            .acquire_many_owned(self.permits(bytes))
            .await
            .unwrap_or_else(|_| unreachable!("the budget is never closed"));
        self.reserved(bytes, permit)
    }

    /// Like [`BufferPool::reserve`], but `None` at once if the budget has no room now.
    #[must_use]
    pub fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        let permit = Arc::clone(&self.inner.budget).try_acquire_many_owned(self.permits(bytes)).ok()?;
        Some(self.reserved(bytes, permit))
    }

    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(BLOCK).min(self.inner.blocks)).unwrap_or(u32::MAX)
    }

    /// Kept memory goes if the budget demands it.
    fn reserved(&self, bytes: usize, permit: OwnedSemaphorePermit) -> Reservation {
        let room = self.budget().saturating_sub(self.inner.in_use());
        let freed = self.inner.idle().shrink(room);
        drop(freed);
        Reservation { bytes, permit }
    }
}

impl Reservation {
    /// How many bytes were asked for.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what is more than `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        self.bytes = self.bytes.min(bytes);
        let spare = self.permit.num_permits().saturating_sub(bytes.div_ceil(BLOCK));
        drop(self.permit.split(spare));
    }
}
