//! Counts of failures in this process's own memory.
//!
//! It keeps two generations a shard: when the young one is full, it becomes the old one and the old one goes. So it never holds
//! more names than its capacity, and those that go first are the ones that nobody asked about for longest.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use berth_cache::{Attempts, Failures};
use berth_domain::{Clock, Timestamp};
use bytes::Bytes;

const SHARDS: usize = 16;

/// Counts failures for one process.
pub struct MemoryAttempts {
    clock: Arc<dyn Clock>,
    shards: [Mutex<Generations>; SHARDS],
    hasher: RandomState,
    /// How many names a generation of one shard holds.
    most: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Bytes, Entry>,
    old: HashMap<Bytes, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    count: u32,
    last: Timestamp,
    until: Timestamp,
}

impl MemoryAttempts {
    /// Counts under at most about `capacity` names at once.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, capacity: usize) -> Self {
        Self {
            clock,
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            most: (capacity / (2 * SHARDS)).max(1),
        }
    }

    /// The name's shard; nothing of it changes while it is held.
    fn shard(&self, name: &Bytes) -> MutexGuard<'_, Generations> {
        let hash = self.hasher.hash_one(name).to_le_bytes()[0];
        // A shard is right after every single step, so a panic elsewhere does not spoil it.
        self.shards[usize::from(hash) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Attempts for MemoryAttempts {
    async fn failures(&self, name: &Bytes) -> Failures {
        let now = self.clock.now();
        let mut shard = self.shard(name);
        let Some(entry) = shard.take(name, now) else { return Failures::default() };
        shard.keep(name.clone(), entry, self.most);
        entry.at(now)
    }

    async fn fail(&self, name: Bytes, window: Duration) -> Failures {
        let now = self.clock.now();
        let mut shard = self.shard(&name);
        let before = shard.take(&name, now).map_or(0, |entry| entry.count);
        let entry = Entry { count: before.saturating_add(1), last: now, until: now.plus(window) };
        shard.keep(name, entry, self.most);
        entry.at(now)
    }

    async fn take_back(&self, name: &Bytes) {
        let now = self.clock.now();
        let mut shard = self.shard(name);
        if let Some(entry) = shard.take(name, now).filter(|entry| entry.count > 1) {
            shard.keep(name.clone(), Entry { count: entry.count - 1, ..entry }, self.most);
        }
    }

    async fn forget(&self, name: &Bytes) {
        let now = self.clock.now();
        self.shard(name).take(name, now);
    }
}

impl Entry {
    fn at(self, now: Timestamp) -> Failures {
        Failures { count: self.count, since_last: now.since(self.last) }
    }
}

impl Generations {
    /// Takes an entry out; one that is over does not count.
    fn take(&mut self, name: &Bytes, now: Timestamp) -> Option<Entry> {
        let (young, old) = (self.young.remove(name), self.old.remove(name));
        young.or(old).filter(|entry| now < entry.until)
    }

    fn keep(&mut self, name: Bytes, entry: Entry, most: usize) {
        if self.young.len() >= most {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(name, entry);
    }
}

impl fmt::Debug for MemoryAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAttempts").field("capacity", &(self.most * 2 * SHARDS)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::still::Still;

    fn attempts(capacity: usize) -> (Arc<Still>, MemoryAttempts) {
        let clock = Arc::new(Still::default());
        let given: Arc<Still> = Arc::clone(&clock);
        (clock, MemoryAttempts::new(given, capacity))
    }

    #[tokio::test]
    async fn keeps_the_ports_promises() {
        let (clock, attempts) = attempts(1024);
        let pass = async |time: Duration| clock.pass(time);
        berth_cache::conformance::attempts::run(&attempts, pass).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_failure_is_counted() {
        let (_, attempts) = attempts(1024);
        let attempts = Arc::new(attempts);
        let name = Bytes::from_static(b"guessed");
        let guess = || {
            let (attempts, name) = (Arc::clone(&attempts), name.clone());
            tokio::spawn(async move {
                for _ in 0..100 {
                    attempts.fail(name.clone(), Duration::from_secs(1)).await;
                }
            })
        };
        for task in [guess(), guess(), guess(), guess()] {
            task.await.unwrap();
        }
        assert_eq!(attempts.failures(&name).await.count, 400);
    }

    #[tokio::test]
    async fn holds_no_more_names_than_it_may() {
        let (_, attempts) = attempts(1024);
        let watched = Bytes::from_static(b"asked for");
        attempts.fail(watched.clone(), Duration::from_secs(1)).await;
        for n in 0..20_000_u32 {
            attempts.fail(Bytes::copy_from_slice(&n.to_be_bytes()), Duration::from_secs(1)).await;
            assert_eq!(attempts.failures(&watched).await.count, 1);
        }
        let held = |shard: &Mutex<Generations>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        assert!(attempts.shards.iter().map(held).sum::<usize>() <= 1024);
    }
}
