//! The cache in this process's own memory.
//!
//! **Invariants.** The entries together never weigh more than the budget. A key that was invalidated is not put back by whoever
//! looked it up before: `stripes` counts the invalidations, and a value goes in only under the lock that also counts them.
#![deny(missing_docs)]

mod attempts;
mod lifetimes;
#[cfg(test)]
mod still;
mod stripes;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use berth_cache::{Cache, Key, Stamp};
use berth_domain::{Clock, Timestamp};
use bytes::Bytes;

pub use attempts::MemoryAttempts;
pub use lifetimes::Lifetimes;
use stripes::Stripes;

/// What an entry costs beside its name and value: the maps' own bookkeeping.
const OVERHEAD: usize = 192;

/// Remembers in memory, by weight and age.
pub struct MemoryCache {
    entries: moka::sync::Cache<Key, Entry>,
    stripes: Stripes,
    lifetimes: Lifetimes,
    clock: Arc<dyn Clock>,
    lookups: Lookups,
}

/// How often something was asked for. Apart from what everybody only reads, so that counting slows no reader down.
#[derive(Default)]
#[repr(align(128))]
struct Lookups {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What is remembered, and since when.
#[derive(Clone, Debug)]
struct Entry {
    value: Bytes,
    since: Timestamp,
}

impl MemoryCache {
    /// An empty cache that never weighs more than `bytes` and believes each kind of thing for its lifetime.
    #[must_use]
    pub fn new(bytes: u64, lifetimes: Lifetimes, clock: Arc<dyn Clock>) -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &Key, entry: &Entry| {
                u32::try_from(key.name.len() + entry.value.len() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(lifetimes)
            .build();
        Self { entries, stripes: Stripes::default(), lifetimes, clock, lookups: Lookups::default() }
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

    /// How often something was asked for that was remembered, and believed.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.lookups.hits.load(Ordering::Relaxed)
    }

    /// How often something was asked for that was not.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.lookups.misses.load(Ordering::Relaxed)
    }

    /// What is remembered under `key`, if it is not older than that.
    fn within(&self, key: &Key, age: Duration) -> Option<Bytes> {
        let entry = self.entries.get(key)?;
        (self.clock.now().since(entry.since) < age).then_some(entry.value)
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &Key) -> Option<Bytes> {
        let found = self.within(key, self.lifetimes.of(key.kind));
        let count = if found.is_some() { &self.lookups.hits } else { &self.lookups.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    async fn last_known(&self, key: &Key) -> Option<Bytes> {
        self.within(key, self.lifetimes.kept(key.kind))
    }

    fn stamp(&self, key: &Key) -> Stamp {
        self.stripes.stamp(key)
    }

    fn stands(&self, stamp: Stamp) -> bool {
        self.stripes.stands(stamp)
    }

    async fn put(&self, key: Key, value: Bytes, stamp: Stamp) {
        if self.lifetimes.of(key.kind).is_zero() {
            return;
        }
        let invalidations = self.stripes.lock(&key);
        if invalidations.count() == stamp.count {
            self.entries.insert(key, Entry { value, since: self.clock.now() });
        }
    }

    async fn invalidate(&self, keys: &[Key]) {
        for key in keys {
            let invalidations = self.stripes.lock(key);
            invalidations.one_more();
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
    use berth_cache::Kind;

    use super::*;
    use crate::still::Still;

    fn cache(bytes: u64, lifetimes: Lifetimes) -> (Arc<Still>, MemoryCache) {
        let clock = Arc::new(Still::default());
        let given: Arc<Still> = Arc::clone(&clock);
        (clock, MemoryCache::new(bytes, lifetimes, given))
    }

    fn key(kind: Kind, name: &'static str) -> Key {
        Key { kind, scope: 1, name: Bytes::from_static(name.as_bytes()) }
    }

    async fn keep(cache: &MemoryCache, key: Key, value: Bytes) {
        let stamp = cache.stamp(&key);
        cache.put(key, value, stamp).await;
    }

    #[tokio::test]
    async fn keeps_the_ports_promises() {
        berth_cache::conformance::run(&cache(1 << 20, Lifetimes::default()).1).await;
    }

    #[tokio::test]
    async fn a_lifetime_of_zero_remembers_nothing_of_that_kind() {
        let (_, cache) = cache(1 << 20, Lifetimes { tag: Duration::ZERO, ..Lifetimes::default() });
        keep(&cache, key(Kind::Tag, "t"), Bytes::from_static(b"1")).await;
        keep(&cache, key(Kind::Manifest, "m"), Bytes::from_static(b"2")).await;
        assert_eq!(cache.get(&key(Kind::Tag, "t")).await, None);
        assert_eq!(cache.get(&key(Kind::Manifest, "m")).await.as_deref(), Some(&b"2"[..]));
    }

    #[tokio::test]
    async fn what_is_asked_for_is_counted() {
        let (clock, cache) = cache(1 << 20, Lifetimes::default());
        let tag = key(Kind::Tag, "t");
        assert_eq!(cache.get(&tag).await, None);
        keep(&cache, tag.clone(), Bytes::from_static(b"1")).await;
        for _ in 0..3 {
            cache.get(&tag).await.expect("it is remembered");
        }
        clock.pass(Duration::from_secs(5));
        assert_eq!(cache.get(&tag).await, None);
        assert_eq!((cache.hits(), cache.misses()), (3, 2));
    }

    #[tokio::test]
    async fn what_is_believed_no_longer_is_known_for_a_minute() {
        let (clock, cache) = cache(1 << 20, Lifetimes::default());
        let tag = key(Kind::Tag, "t");
        keep(&cache, tag.clone(), Bytes::from_static(b"1")).await;
        clock.pass(Duration::from_millis(4_999));
        assert!(cache.get(&tag).await.is_some());
        clock.pass(Duration::from_millis(1));
        assert_eq!(cache.get(&tag).await, None);
        assert_eq!(cache.last_known(&tag).await.as_deref(), Some(&b"1"[..]));
        clock.pass(Duration::from_secs(55));
        assert_eq!(cache.last_known(&tag).await, None);
    }

    #[tokio::test]
    async fn weighs_no_more_than_its_budget() {
        let budget = 64 << 10;
        let (_, cache) = cache(budget, Lifetimes::default());
        for n in 0..1000_u32 {
            let name = Bytes::copy_from_slice(&n.to_be_bytes());
            keep(&cache, Key { kind: Kind::Manifest, scope: 1, name }, Bytes::from(vec![0; 1024])).await;
        }
        cache.entries.run_pending_tasks();
        assert!(cache.weight() <= budget, "{} bytes", cache.weight());
        assert!(cache.entries() > 0);
    }
}
