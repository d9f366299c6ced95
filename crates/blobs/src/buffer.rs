//! The process's one budget for the bytes of bodies, and the buffers that come out of it. It is cut into pools by what they
//! are for (the server cuts five), so that nobody who holds memory waits for more of the same.

mod idle;
mod reservation;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use memmap2::MmapMut;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::BLOCK;
use idle::Idle;
pub use reservation::Reservation;

/// Hands out buffers as long as the budget lasts; who comes later waits, in the order of coming. Cheap to clone: all clones are one.
///
/// Memory that comes back is kept for the next one as long as there is about as much use for it; a pool that nobody uses keeps at
/// most 12 MiB. What is handed out and what is kept are never more than the budget together.
#[derive(Clone)]
pub struct BufferPool {
    inner: Arc<Pool>,
}

struct Pool {
    /// One permit a block.
    budget: Arc<Semaphore>,
    blocks: usize,
    idle: Mutex<Idle>,
}

/// The usual size of an upload's buffer.
pub const LARGE: usize = 1 << 20;
/// The usual size of a buffer on the way out.
pub const SMALL: usize = 256 << 10;
/// The sizes that buffers have, so that memory fits again; what is larger than the last has its own.
const CLASSES: [usize; 4] = [16 << 10, 64 << 10, SMALL, LARGE];

impl BufferPool {
    /// A pool that never holds more than `budget` bytes, at least one [`LARGE`] buffer.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        let blocks = (budget.max(LARGE) / BLOCK).min(Semaphore::MAX_PERMITS);
        let inner = Pool { budget: Arc::new(Semaphore::new(blocks)), blocks, idle: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// A buffer of at least `capacity` bytes; waits until the budget has room.
    ///
    /// # Panics
    /// If `capacity` is more than the whole budget.
    pub async fn take(&self, capacity: usize) -> Buffer {
        let capacity = Self::rounded(capacity);
        assert!(capacity / BLOCK <= self.inner.blocks, "a buffer is never larger than the budget");
        let permits = u32::try_from(capacity / BLOCK).expect("buffers are smaller than 16 TiB");
        let permit = Arc::clone(&self.inner.budget)
            .acquire_many_owned(permits)
            .await
            .unwrap_or_else(|_| unreachable!("the budget is never closed"));
        self.fill(capacity, permit)
    }

    /// Like [`BufferPool::take`], but `None` at once if the budget has no room now.
    #[must_use]
    pub fn try_take(&self, capacity: usize) -> Option<Buffer> {
        let capacity = Self::rounded(capacity);
        let permits = u32::try_from(capacity / BLOCK).ok()?;
        let permit = Arc::clone(&self.inner.budget).try_acquire_many_owned(permits).ok()?;
        Some(self.fill(capacity, permit))
    }

    /// Like [`BufferPool::try_take`], but leaves `reserve` bytes to those who need little.
    #[must_use]
    pub fn try_take_beside(&self, capacity: usize, reserve: usize) -> Option<Buffer> {
        let taken = self.in_use() + Self::rounded(capacity) + reserve;
        if taken > self.budget() { None } else { self.try_take(capacity) }
    }

    /// Bytes that are handed out now.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.inner.in_use()
    }

    /// Bytes that are kept for the next ones.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.inner.idle().bytes()
    }

    /// Bytes that may be handed out in all.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.inner.blocks * BLOCK
    }

    /// The capacity that a buffer for `capacity` bytes has.
    fn rounded(capacity: usize) -> usize {
        let class = CLASSES.into_iter().find(|&class| capacity <= class);
        class.unwrap_or_else(|| capacity.next_multiple_of(BLOCK))
    }

    /// A buffer for a permit: out of kept memory if there is some of this size, else of new memory, for which kept memory of
    /// other sizes goes if the budget demands it.
    fn fill(&self, capacity: usize, permit: OwnedSemaphorePermit) -> Buffer {
        let (reused, freed) = {
            let mut idle = self.inner.idle();
            let reused = idle.take(capacity);
            let room = self.budget().saturating_sub(self.inner.in_use());
            (reused, idle.shrink(room))
        };
        drop(freed);
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
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_use(&self) -> usize {
        (self.blocks - self.budget.available_permits()) * BLOCK
    }

    /// Takes memory back whose permit is still out.
    fn give_back(&self, memory: Memory) {
        let others = self.in_use().saturating_sub(memory.capacity());
        let freed = self.idle().put(memory, others);
        drop(freed);
    }
}

/// A run of bytes whose start is aligned to a page, and so to [`BLOCK`]. It comes from the system and goes back there as a whole:
/// an allocator would keep much of what large buffers leave behind.
struct Memory(MmapMut);

impl Memory {
    fn new(capacity: usize) -> Self {
        // Whoever cannot have memory cannot go on, as with any other allocation.
        Self(MmapMut::map_anon(capacity).expect("the system has memory"))
    }

    fn capacity(&self) -> usize {
        self.0.len()
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
        self.memory.as_mut().map_or(&mut [], |memory| &mut memory.0[filled..])
    }

    /// Counts `bytes` of the spare room as filled.
    ///
    /// # Panics
    /// If there is less spare room.
    pub fn advance(&mut self, bytes: usize) {
        assert!(bytes <= self.spare().len(), "filled more than the room that was left");
        self.filled += bytes;
    }

    /// How many bytes it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::capacity)
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
        self.capacity() == self.filled
    }

    /// The filled bytes, to be shared; the memory goes back to the pool when the last share is dropped.
    #[must_use]
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref().map_or(&[], |memory| &memory.0[..self.filled])
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
mod tests;
