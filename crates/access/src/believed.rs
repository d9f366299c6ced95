//! What was read from the database a moment ago, and how long it is believed: see [`crate::freshness`].

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use berth_domain::{Clock, Timestamp};
use berth_metadata::Error;
use futures::future::BoxFuture;

use crate::Outage;
use crate::freshness::{BRIDGED, Freshness, freshness};
use crate::recent::Recent;

/// What the database said, by key. Cheap to clone.
pub(crate) struct Believed<K, V> {
    inner: Arc<Inner<K, V>>,
}

struct Inner<K, V> {
    recent: Recent<K, Arc<Answer<V>>>,
    clock: Arc<dyn Clock>,
    read: Reader<K, V>,
    /// Counts what was forgotten, so that an answer from before is not remembered after.
    forgotten: AtomicU64,
    outage: Outage,
}

/// Asks the database.
type Reader<K, V> = Box<dyn Fn(K) -> BoxFuture<'static, Result<V, Error>> + Send + Sync>;

/// One answer.
struct Answer<V> {
    value: V,
    read_at: Timestamp,
    refreshing: AtomicBool,
}

/// Who asks: a pull may go on while the database cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bridge {
    /// It may.
    Pull,
    /// It may not.
    No,
}

impl<K, V> Believed<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Remembers about `capacity` answers of `read`, whose silence `outage` notices.
    pub(crate) fn new<F>(capacity: usize, clock: Arc<dyn Clock>, outage: &Outage, read: F) -> Self
    where
        F: Fn(K) -> BoxFuture<'static, Result<V, Error>> + Send + Sync + 'static,
    {
        let inner = Inner {
            recent: Recent::new(capacity),
            clock,
            read: Box::new(read),
            forgotten: AtomicU64::new(0),
            outage: outage.clone(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The answer for `key`, at most five seconds old; for a pull at most a minute, if the database cannot be reached.
    pub(crate) async fn get(&self, key: &K, bridge: Bridge) -> Result<V, Error> {
        let now = self.inner.clock.now();
        let Some(known) = self.inner.recent.get(key, now) else {
            return self.inner.ask(key).await;
        };
        match freshness(now.since(known.read_at)) {
            Freshness::Fresh => Ok(known.value.clone()),
            Freshness::Ageing => {
                self.refresh(key, &known);
                Ok(known.value.clone())
            }
            Freshness::Bridge if bridge == Bridge::Pull => self.inner.ask_or(key, &known).await,
            Freshness::Bridge | Freshness::Gone => self.inner.ask(key).await,
        }
    }

    /// What is known of `key`, however old, without a question.
    pub(crate) fn known(&self, key: &K) -> Option<V> {
        self.inner.recent.get(key, self.inner.clock.now()).map(|known| known.value.clone())
    }

    /// Forgets, because it was changed here.
    pub(crate) fn forget(&self, key: &K) {
        self.inner.forgotten.fetch_add(1, Ordering::SeqCst);
        self.inner.recent.remove(key);
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.inner.forgotten.fetch_add(1, Ordering::SeqCst);
        self.inner.recent.clear();
    }

    /// Reads again in the background, once.
    fn refresh(&self, key: &K, known: &Arc<Answer<V>>) {
        if known.refreshing.swap(true, Ordering::Relaxed) {
            return;
        }
        let (inner, key, known) = (Arc::clone(&self.inner), key.clone(), Arc::clone(known));
        tokio::spawn(async move {
            if inner.ask(&key).await.is_err() {
                known.refreshing.store(false, Ordering::Relaxed);
            }
        });
    }
}

impl<K, V> Inner<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    /// Asks, and remembers the answer as of the moment of the question.
    async fn ask(&self, key: &K) -> Result<V, Error> {
        let (read_at, forgotten) = (self.clock.now(), self.forgotten.load(Ordering::SeqCst));
        let value = (self.read)(key.clone()).await?;
        if self.forgotten.load(Ordering::SeqCst) == forgotten {
            let refreshing = AtomicBool::new(false);
            let answer = Arc::new(Answer { value: value.clone(), read_at, refreshing });
            self.recent.put(key.clone(), answer, read_at.plus(BRIDGED));
        }
        Ok(value)
    }

    /// Asks; if there is no answer in time, what is known serves.
    async fn ask_or(&self, key: &K, known: &Answer<V>) -> Result<V, Error> {
        match self.outage.ask(self.ask(key)).await {
            Err(Error::Unavailable(_)) => Ok(known.value.clone()),
            answer => answer,
        }
    }
}

impl<K, V> fmt::Debug for Believed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Believed").field("recent", &self.inner.recent).finish_non_exhaustive()
    }
}
