//! A bounded memory of what was found out a moment ago, within one process.
//!
//! It keeps two generations: when the young one is full, it becomes the old one and the old one goes. So it never holds more
//! than its capacity, and what is asked for stays longest.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_domain::Timestamp;

const SHARDS: usize = 16;

/// Values by key, each until its moment.
pub struct Recent<K, V> {
    shards: [Mutex<Generations<K, V>>; SHARDS],
    hasher: RandomState,
    /// How many a generation of one shard holds.
    most: usize,
}

struct Generations<K, V> {
    young: HashMap<K, (V, Timestamp)>,
    old: HashMap<K, (V, Timestamp)>,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// Remembers at most about `capacity` values.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let empty = || Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() });
        Self {
            shards: std::array::from_fn(|_| empty()),
            hasher: RandomState::new(),
            most: (capacity / (2 * SHARDS)).max(1),
        }
    }

    /// What is remembered and still good at `now`.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let mut shard = self.shard(key);
        if let Some((value, until)) = shard.young.get(key) {
            return (now < *until).then(|| value.clone());
        }
        let (value, until) = shard.old.remove(key)?;
        if now >= until {
            return None;
        }
        shard.keep(key.clone(), value.clone(), until, self.most);
        Some(value)
    }

    /// Remembers `value` until `until`.
    pub fn put(&self, key: K, value: V, until: Timestamp) {
        let mut shard = self.shard(&key);
        shard.old.remove(&key);
        shard.keep(key, value, until, self.most);
    }

    /// Forgets.
    pub fn remove(&self, key: &K) {
        let mut shard = self.shard(key);
        shard.young.remove(key);
        shard.old.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.clear();
            shard.old.clear();
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Generations<K, V>> {
        let hash = self.hasher.hash_one(key).to_le_bytes()[0];
        self.shards[usize::from(hash) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn keep(&mut self, key: K, value: V, until: Timestamp, most: usize) {
        if self.young.len() >= most && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, (value, until));
    }
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("capacity", &(self.most * 2 * SHARDS)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn it_forgets_at_its_moment() {
        let recent = Recent::new(64);
        recent.put("a", 1, at(10));
        assert_eq!(recent.get(&"a", at(9)), Some(1));
        assert_eq!(recent.get(&"a", at(10)), None);
        recent.put("a", 2, at(20));
        assert_eq!(recent.get(&"a", at(10)), Some(2));
        recent.remove(&"a");
        assert_eq!(recent.get(&"a", at(10)), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_keeps_what_is_asked_for() {
        let recent = Recent::new(1024);
        recent.put(u32::MAX, 0, at(10));
        for key in 0..20_000 {
            recent.put(key, 0, at(10));
            assert_eq!(recent.get(&u32::MAX, at(0)), Some(0), "asked for all the time");
        }
        let held = (0..20_000).filter(|key| recent.get(key, at(0)).is_some()).count();
        assert!((256..=1024).contains(&held), "{held}");
        recent.clear();
        assert_eq!(recent.get(&u32::MAX, at(0)), None);
    }
}
