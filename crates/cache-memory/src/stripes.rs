//! Counters of invalidations, shared by the keys that hash to the same stripe.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_cache::Key;

/// So many that two busy keys seldom meet; a meeting costs one value that is not remembered.
const STRIPES: usize = 1024;

/// The counters.
pub(crate) struct Stripes {
    stripes: Box<[Stripe]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Stripe {
    /// Read without the lock, changed only under it.
    count: AtomicU64,
    lock: Mutex<()>,
}

/// Nothing of this stripe is remembered or forgotten by others while it lives.
pub(crate) struct Locked<'a> {
    stripe: &'a Stripe,
    _guard: MutexGuard<'a, ()>,
}

impl Default for Stripes {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Stripe::default()).collect(), hasher: RandomState::new() }
    }
}

impl Stripes {
    /// How many invalidations the key's stripe has seen. One that is under way may count already: who looks something up after it
    /// finds what is so after it, and remembers it when it is over.
    pub(crate) fn count(&self, key: &Key) -> u64 {
        self.of(key).count.load(Ordering::SeqCst)
    }

    /// Holds the key's stripe.
    pub(crate) fn lock(&self, key: &Key) -> Locked<'_> {
        let stripe = self.of(key);
        // A counter is right after every single step, so a panic elsewhere does not spoil it.
        Locked { stripe, _guard: stripe.lock.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    fn of(&self, key: &Key) -> &Stripe {
        let stripe = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0);
        &self.stripes[stripe]
    }
}

impl Locked<'_> {
    /// How many invalidations there were.
    pub(crate) fn count(&self) -> u64 {
        self.stripe.count.load(Ordering::SeqCst)
    }

    /// Counts one more.
    pub(crate) fn one_more(&self) {
        self.stripe.count.fetch_add(1, Ordering::SeqCst);
    }
}
