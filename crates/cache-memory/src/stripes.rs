//! Counters of invalidations, shared by the keys that hash to the same stripe.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_cache::Key;

/// So many that two busy keys seldom meet; a meeting costs one value that is not remembered.
const STRIPES: usize = 1024;

/// The counters.
pub(crate) struct Stripes {
    counters: Box<[Mutex<u64>]>,
    hasher: RandomState,
}

impl Default for Stripes {
    fn default() -> Self {
        Self { counters: (0..STRIPES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Stripes {
    /// How many invalidations the key's stripe has seen.
    pub(crate) fn count(&self, key: &Key) -> u64 {
        *self.lock(key)
    }

    /// The key's counter; nothing of its stripe is remembered or forgotten while it is held.
    pub(crate) fn lock(&self, key: &Key) -> MutexGuard<'_, u64> {
        let stripe = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0);
        // A counter is right after every single step, so a panic elsewhere does not spoil it.
        self.counters[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
