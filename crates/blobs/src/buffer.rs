//! The process's one budget for the bytes of bodies, and the buffers that come out of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::BLOCK;

/// Hands out buffers as long as the budget lasts; who comes later waits. Buffers are kept for reuse when they come back.
#[derive(Clone)]
pub struct BufferPool {
    inner: Arc<Pool>,
}

struct Pool {
    /// One permit a block.
    budget: Arc<Semaphore>,
    blocks: usize,
    /// Memory of buffers that came back, by no order; never more than the budget.
    idle: Mutex<Vec<Memory>>,
}

/// The usual size of an upload's buffer.
pub const LARGE: usize = 1 << 20;
/// The usual size of a buffer on the way out.
pub const SMALL: usize = 256 << 10;

impl BufferPool {
    /// A pool that never holds more than `budget` bytes, at least one [`LARGE`] buffer.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        let blocks = (budget.max(LARGE) / BLOCK).min(Semaphore::MAX_PERMITS);
        let inner = Pool { budget: Arc::new(Semaphore::new(blocks)), blocks, idle: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// A buffer of `capacity` bytes, rounded up to a [`BLOCK`]; waits until the budget has room.
    ///
    /// # Panics
    /// If `capacity` is more than the whole budget.
    pub async fn take(&self, capacity: usize) -> Buffer {
        let blocks = capacity.div_ceil(BLOCK).max(1);
        assert!(blocks <= self.inner.blocks, "a buffer is never larger than the budget");
        let permits = u32::try_from(blocks).expect("buffers are smaller than 16 TiB");
        let permit = Arc::clone(&self.inner.budget)
            .acquire_many_owned(permits)
            .await
            .unwrap_or_else(|_| unreachable!("the budget is never closed"));
        self.fill(blocks * BLOCK, permit)
    }

    /// Like [`BufferPool::take`], but `None` at once if the budget has no room now.
    #[must_use]
    pub fn try_take(&self, capacity: usize) -> Option<Buffer> {
        let blocks = capacity.div_ceil(BLOCK).max(1);
        let permits = u32::try_from(blocks).ok()?;
        let permit = Arc::clone(&self.inner.budget).try_acquire_many_owned(permits).ok()?;
        Some(self.fill(blocks * BLOCK, permit))
    }

    /// Bytes that are handed out now.
    #[must_use]
    pub fn in_use(&self) -> usize {
        (self.inner.blocks - self.inner.budget.available_permits()) * BLOCK
    }

    /// Bytes that may be handed out in all.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.inner.blocks * BLOCK
    }

    fn fill(&self, capacity: usize, permit: OwnedSemaphorePermit) -> Buffer {
        let reused = {
            let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let found = idle.iter().position(|memory| memory.capacity() == capacity);
            found.map(|at| idle.swap_remove(at))
        };
        let memory = reused.unwrap_or_else(|| Memory::new(capacity));
        Buffer { memory: Some(memory), filled: 0, pool: Arc::clone(&self.inner), _permit: permit }
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool").field("budget", &self.budget()).field("in_use", &self.in_use()).finish()
    }
}

impl Pool {
    /// Keeps memory for reuse, unless that would hold more than the budget together with what is out.
    fn give_back(&self, memory: Memory) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = idle.iter().map(Memory::capacity).sum();
        let out = (self.blocks - self.budget.available_permits()) * BLOCK;
        // The permit of this very buffer is still out.
        if kept + out <= self.blocks * BLOCK {
            idle.push(memory);
        }
    }
}

/// A run of bytes whose start is aligned to [`BLOCK`].
struct Memory {
    bytes: Box<[u8]>,
    start: usize,
}

impl Memory {
    fn new(capacity: usize) -> Self {
        let bytes = vec![0; capacity + BLOCK].into_boxed_slice();
        let start = bytes.as_ptr().align_offset(BLOCK);
        Self { bytes, start }
    }

    fn capacity(&self) -> usize {
        self.bytes.len() - BLOCK
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.capacity()]
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        let end = self.start + self.capacity();
        &mut self.bytes[self.start..end]
    }
}

/// Memory out of the budget, aligned to [`BLOCK`]; it goes back when dropped.
pub struct Buffer {
    /// `None` only while being dropped.
    memory: Option<Memory>,
    filled: usize,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Buffer {
    /// Appends as much of `bytes` as fits and says how much that was.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let room = self.spare();
        let taken = room.len().min(bytes.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        taken
    }

    /// The room that is left; what is written there counts after [`Buffer::advance`].
    pub fn spare(&mut self) -> &mut [u8] {
        let filled = self.filled;
        self.memory.as_mut().map_or(&mut [], |memory| &mut memory.as_mut_slice()[filled..])
    }

    /// Counts `bytes` of the spare room as filled.
    ///
    /// # Panics
    /// If there is less spare room.
    pub fn advance(&mut self, bytes: usize) {
        assert!(bytes <= self.spare().len(), "filled more than the room that was left");
        self.filled += bytes;
    }

    /// How many bytes are filled.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.filled
    }

    /// Whether nothing is filled.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Whether no room is left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.memory.as_ref().is_none_or(|memory| memory.capacity() == self.filled)
    }

    /// The filled bytes, to be shared; the memory goes back to the pool when the last share is dropped.
    #[must_use]
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref().map_or(&[], |memory| &memory.as_slice()[..self.filled])
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.pool.give_back(memory);
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("filled", &self.filled).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stays_within_the_budget_and_reuses_memory() {
        let pool = BufferPool::new(2 * LARGE);
        let mut first = pool.take(LARGE).await;
        assert_eq!(first.append(b"berth"), 5);
        assert_eq!(first.as_ref().as_ptr().align_offset(BLOCK), 0);
        let shared = first.freeze();
        let second = pool.take(LARGE).await;
        assert_eq!(pool.in_use(), 2 * LARGE);
        assert!(pool.try_take(1).is_none());
        assert_eq!(&shared[..], b"berth");
        drop((shared, second));
        assert_eq!(pool.in_use(), 0);
        let again = pool.take(LARGE).await;
        assert!(again.is_empty(), "a reused buffer starts empty");
    }
}
