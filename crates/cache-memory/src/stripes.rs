//! Counters of invalidations, shared by the keys that hash to the same stripe.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_cache::{Key, Kind, Stamp};

/// So many that two busy keys seldom meet; a meeting costs one value that is not remembered.
const STRIPES: usize = 1024;

/// The counters: as many of what is pushed and deleted, hundreds of times a second, as of what people may do, which must not be
/// looked up again because of a push.
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
        Self { stripes: (0..2 * STRIPES).map(|_| Stripe::default()).collect(), hasher: RandomState::new() }
    }
}

impl Stripes {
    /// How many invalidations the key's stripe has seen. One that is under way may count already: who looks something up after it
    /// finds what is so after it, and remembers it when it is over.
    pub(crate) fn stamp(&self, key: &Key) -> Stamp {
        let place = self.place(key);
        Stamp { place, count: self.stripes[place].count.load(Ordering::SeqCst) }
    }

    /// Whether the stamp's stripe has seen none since. A stamp of another cache's making does not stand.
    pub(crate) fn stands(&self, stamp: Stamp) -> bool {
        self.stripes.get(stamp.place).is_some_and(|stripe| stripe.count.load(Ordering::SeqCst) == stamp.count)
    }

    /// Holds the key's stripe.
    pub(crate) fn lock(&self, key: &Key) -> Locked<'_> {
        let stripe = &self.stripes[self.place(key)];
        // A counter is right after every single step, so a panic elsewhere does not spoil it.
        Locked { stripe, _guard: stripe.lock.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    fn place(&self, key: &Key) -> usize {
        let first = match key.kind {
            Kind::Repository | Kind::Tag | Kind::Manifest | Kind::Blob => 0,
            Kind::Subject | Kind::Project | Kind::Group | Kind::Session => STRIPES,
        };
        first + usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0)
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
