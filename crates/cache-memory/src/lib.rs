//! The cache in this process's own memory.
//!
//! **Invariants.** The entries together never weigh more than the budget. A key that was invalidated is not put back by whoever
//! looked it up before: `stripes` counts the invalidations, and a value goes in only under the lock that also counts them.
#![deny(missing_docs)]

mod attempts;
mod lifetimes;
mod stripes;

use std::fmt;

use async_trait::async_trait;
use berth_cache::{Cache, Key, Stamp};
use bytes::Bytes;

pub use attempts::MemoryAttempts;
pub use lifetimes::Lifetimes;
use stripes::Stripes;

/// What an entry costs beside its name and value: the maps' own bookkeeping.
const OVERHEAD: usize = 192;

/// Remembers in memory, by weight and age.
pub struct MemoryCache {
    entries: moka::sync::Cache<Key, Bytes>,
    stripes: Stripes,
    lifetimes: Lifetimes,
}

impl MemoryCache {
    /// An empty cache that never weighs more than `bytes` and forgets each kind of thing after its lifetime.
    #[must_use]
    pub fn new(bytes: u64, lifetimes: Lifetimes) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &Key, value: &Bytes| {
                u32::try_from(key.name.len() + value.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(lifetimes)
            .build();
        Self { entries, stripes: Stripes::default(), lifetimes }
    }

    /// How many things are remembered, roughly.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries.entry_count()
    }

    /// What they weigh in bytes, roughly.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.entries.weighted_size()
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &Key) -> Option<Bytes> {
        self.entries.get(key)
    }

    fn stamp(&self, key: &Key) -> Stamp {
        Stamp(self.stripes.count(key))
    }

    async fn put(&self, key: Key, value: Bytes, stamp: Stamp) {
        if self.lifetimes.of(key.kind).is_zero() {
            return;
        }
        let invalidations = self.stripes.lock(&key);
        if *invalidations == stamp.0 {
            self.entries.insert(key, value);
        }
    }

    async fn invalidate(&self, keys: &[Key]) {
        for key in keys {
            let mut invalidations = self.stripes.lock(key);
            *invalidations += 1;
            self.entries.invalidate(key);
        }
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache")
            .field("entries", &self.entries())
            .field("weight", &self.weight())
            .field("lifetimes", &self.lifetimes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use berth_cache::Kind;

    use super::*;

    fn key(kind: Kind, name: &'static str) -> Key {
        Key { kind, scope: 1, name: Bytes::from_static(name.as_bytes()) }
    }

    async fn keep(cache: &MemoryCache, key: Key, value: Bytes) {
        let stamp = cache.stamp(&key);
        cache.put(key, value, stamp).await;
    }

    #[tokio::test]
    async fn keeps_the_ports_promises() {
        berth_cache::conformance::run(&MemoryCache::new(1 << 20, Lifetimes::default())).await;
    }

    #[tokio::test]
    async fn a_lifetime_of_zero_remembers_nothing_of_that_kind() {
        let cache = MemoryCache::new(1 << 20, Lifetimes { tag: Duration::ZERO, ..Lifetimes::default() });
        keep(&cache, key(Kind::Tag, "t"), Bytes::from_static(b"1")).await;
        keep(&cache, key(Kind::Manifest, "m"), Bytes::from_static(b"2")).await;
        assert_eq!(cache.get(&key(Kind::Tag, "t")).await, None);
        assert_eq!(cache.get(&key(Kind::Manifest, "m")).await.as_deref(), Some(&b"2"[..]));
    }

    #[tokio::test]
    async fn weighs_no_more_than_its_budget() {
        let budget = 64 << 10;
        let cache = MemoryCache::new(budget, Lifetimes::default());
        for n in 0..1000_u32 {
            let name = Bytes::copy_from_slice(&n.to_be_bytes());
            keep(&cache, Key { kind: Kind::Manifest, scope: 1, name }, Bytes::from(vec![0; 1024])).await;
        }
        cache.entries.run_pending_tasks();
        assert!(cache.weight() <= budget, "{} bytes", cache.weight());
        assert!(cache.entries() > 0);
    }
}
