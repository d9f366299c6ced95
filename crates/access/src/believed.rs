//! What was read from the database a moment ago, and how long it is believed: see [`crate::freshness`].
//!
//! **Invariants.** It ages by the clock and by the time that really passes, whichever is more: so a clock that is set back makes
//! nothing younger. What the cache was told of is believed no longer: see [`crate::changes`]. A question on behalf of what is known
//! is asked once, and goes on although nobody waits for it any more: its answer counts from then on.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use berth_cache::{Cache, Key};
use berth_domain::{Clock, Timestamp};
use berth_metadata::Error;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Outage;
use crate::changes::Seen;
use crate::freshness::{BELIEVED, BRIDGED, Freshness, freshness};
use crate::recent::Recent;

/// What the database said, by key. Cheap to clone.
pub(crate) struct Believed<K, V> {
    inner: Arc<Inner<K, V>>,
}

struct Inner<K, V> {
    recent: Recent<K, Arc<Answer<V>>>,
    around: Around,
    made_of: MadeOf<K>,
    read: Reader<K, V>,
}

/// What decides how long something is believed.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Hears of changes.
    pub(crate) cache: Arc<dyn Cache>,
    /// Notices when the database does not answer.
    pub(crate) outage: Outage,
}

/// Names what an answer is made of.
type MadeOf<K> = Box<dyn Fn(&K) -> Vec<Key> + Send + Sync>;

/// Asks the database.
type Reader<K, V> = Box<dyn Fn(K) -> BoxFuture<'static, Result<V, Error>> + Send + Sync>;

/// One answer.
struct Answer<V> {
    value: V,
    /// When it was asked for, by the clock and by the time that really passes.
    asked: (Timestamp, Instant),
    /// What it was made of then.
    seen: Seen,
    /// What comes of asking again, if somebody does.
    next: Mutex<Option<Next<V>>>,
}

/// Where the next answer is found when it is there.
type Next<V> = watch::Receiver<Option<Outcome<V>>>;

/// What came of a question.
#[derive(Clone)]
enum Outcome<V> {
    Answered(V),
    Unavailable,
    /// It failed in a way that concerns this question alone.
    Failed,
}

/// Who asks: a pull may go on while the database cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bridge {
    /// It may.
    Pull,
    /// It may not.
    No,
}

impl Around {
    /// Tells everybody that what `key` names was changed.
    pub(crate) async fn tell(&self, key: Key) {
        self.cache.invalidate(&[key]).await;
    }
}

impl<K, V> Believed<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Remembers about `capacity` answers of `read`, each until something changes that `made_of` names.
    pub(crate) fn new<M, F>(capacity: usize, around: Around, made_of: M, read: F) -> Self
    where
        M: Fn(&K) -> Vec<Key> + Send + Sync + 'static,
        F: Fn(K) -> BoxFuture<'static, Result<V, Error>> + Send + Sync + 'static,
    {
        let recent = Recent::new(capacity);
        let inner = Inner { recent, around, made_of: Box::new(made_of), read: Box::new(read) };
        Self { inner: Arc::new(inner) }
    }

    /// The answer for `key`, at most five seconds old; for a pull at most a minute, if the database cannot be reached.
    pub(crate) async fn get(&self, key: &K, bridge: Bridge) -> Result<V, Error> {
        let now = self.inner.around.clock.now();
        let Some(known) = self.inner.known(key, now) else {
            return self.inner.ask(key).await;
        };
        match freshness(known.age(now)) {
            Freshness::Fresh => Ok(known.value.clone()),
            Freshness::Ageing => {
                self.refresh(key, &known);
                Ok(known.value.clone())
            }
            Freshness::Bridge if bridge == Bridge::Pull => self.ask_or(key, &known).await,
            Freshness::Bridge | Freshness::Gone => self.inner.ask(key).await,
        }
    }

    /// What is known of `key`, however old, without a question.
    pub(crate) fn known(&self, key: &K) -> Option<V> {
        let now = self.inner.around.clock.now();
        self.inner.known(key, now).map(|known| known.value.clone())
    }

    /// Asks again; if there is no answer for long, what is known serves.
    async fn ask_or(&self, key: &K, known: &Arc<Answer<V>>) -> Result<V, Error> {
        // Before the question, which may be the first after a silence.
        let patience = self.inner.around.outage.rights().patience();
        let mut next = self.refresh(key, known);
        if patience.is_zero() {
            return Ok(known.value.clone());
        }
        let seen = timeout(patience, next.wait_for(Option::is_some)).await;
        let outcome = seen.map(|seen| seen.ok().and_then(|outcome| outcome.clone()));
        match outcome {
            Ok(Some(Outcome::Answered(value))) => Ok(value),
            Ok(Some(Outcome::Unavailable)) | Err(_) => {
                tracing::debug!("the database does not answer: a pull goes on with what was known");
                Ok(known.value.clone())
            }
            Ok(Some(Outcome::Failed) | None) => self.inner.ask(key).await,
        }
    }

    /// Reads again in the background, once at a time; where the answer will be.
    fn refresh(&self, key: &K, known: &Answer<V>) -> Next<V> {
        let mut next = known.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = next.as_ref().filter(|next| next.has_changed().is_ok()) {
            return next.clone();
        }
        let (told, seen) = watch::channel(None);
        *next = Some(seen.clone());
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        tokio::spawn(async move {
            let outcome = match inner.ask(&key).await {
                Ok(value) => Outcome::Answered(value),
                Err(Error::Unavailable(_)) => Outcome::Unavailable,
                Err(_) => Outcome::Failed,
            };
            told.send_replace(Some(outcome));
        });
        seen
    }
}

impl<K, V> Inner<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    /// What is known of `key`, if nothing that it was made of has changed.
    fn known(&self, key: &K, now: Timestamp) -> Option<Arc<Answer<V>>> {
        self.recent.get(key, now).filter(|known| known.seen.stands(&self.around.cache))
    }

    /// Asks, and remembers the answer as of the moment of the question.
    async fn ask(&self, key: &K) -> Result<V, Error> {
        let Around { clock, cache, outage } = &self.around;
        let asked = (clock.now(), Instant::now());
        let seen = Seen::before(&(self.made_of)(key), cache);
        let question = outage.rights().ask();
        let answer = (self.read)(key.clone()).await;
        match &answer {
            Err(Error::Unavailable(_)) => question.failed(),
            _ => question.answered(),
        }
        let value = answer?;
        // One from before a change would not be believed; it must not take the place of one from after it.
        if seen.stands(cache) {
            let answer = Arc::new(Answer { value: value.clone(), asked, seen, next: Mutex::default() });
            self.recent.put(key.clone(), answer, asked.0.plus(BRIDGED));
        }
        Ok(value)
    }
}

impl<V> Answer<V> {
    /// How old it is. If it is of a moment that the clock has not reached yet, the clock was set back: then it is to be asked
    /// again at once.
    fn age(&self, now: Timestamp) -> Duration {
        let (at, instant) = self.asked;
        let by_clock = if at > now { BELIEVED } else { now.since(at) };
        by_clock.max(instant.elapsed())
    }
}

impl<K, V> fmt::Debug for Believed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Believed").field("recent", &self.inner.recent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
