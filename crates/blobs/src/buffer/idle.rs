//! Memory that came back and waits for its next use.

use super::{CLASSES, Memory};

/// What is kept however little the pool is used: about what one large body has under way, so that it makes no new memory.
const FLOOR: usize = 12 << 20;

/// Kept memory, by size.
#[derive(Default)]
pub(super) struct Idle {
    classes: [Vec<Memory>; CLASSES.len()],
    bytes: usize,
}

impl Idle {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory of this size, the one last used first: it is most likely still in the processor's caches.
    pub(super) fn take(&mut self, capacity: usize) -> Option<Memory> {
        let memory = self.classes[class(capacity)?].pop()?;
        self.bytes -= capacity;
        Some(memory)
    }

    /// Keeps memory while `in_use` bytes are out elsewhere: as much is kept as is in use, since that is what may be asked for
    /// again soon. Returns what is not to be kept, to be freed when no lock is held.
    pub(super) fn put(&mut self, memory: Memory, in_use: usize) -> Vec<Memory> {
        let capacity = memory.capacity();
        let Some(class) = class(capacity) else { return vec![memory] };
        self.classes[class].push(memory);
        self.bytes += capacity;
        self.shrink(in_use.max(FLOOR))
    }

    /// Gives memory up until no more than `most` bytes are kept, the largest first.
    pub(super) fn shrink(&mut self, most: usize) -> Vec<Memory> {
        let mut freed = Vec::new();
        while self.bytes > most {
            let Some(memory) = self.classes.iter_mut().rev().find_map(Vec::pop) else { break };
            self.bytes -= memory.capacity();
            freed.push(memory);
        }
        freed
    }
}

fn class(capacity: usize) -> Option<usize> {
    CLASSES.iter().position(|&class| class == capacity)
}
