//! Questions to the database that are out, each for all who want to know the same.
//!
//! **Invariants.** Of one key one question is out at a time. It is nobody's own: whoever asked first may go away, and the others
//! get its answer; or its error, because a database in trouble is not helped by being asked again by each of them. Who came after
//! it was asked takes its answer only if the cache believes it, and so not if it says that there is nothing; else all of them share
//! the next one. What was asked before a key was invalidated tells nobody anything who came after that. A question ends when nobody
//! waits for it any more; one on behalf of what is known goes on as long as the database lets it, so that an answer which comes late
//! counts from then on.

mod failure;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_access::Outage;
use berth_cache::{Cache, Key, Stamp};
use berth_metadata::Error as DatabaseError;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};
use tracing::Instrument as _;

use failure::Failure;

/// Questions whose answers are of one kind.
pub(crate) struct Flights<T> {
    cache: Arc<dyn Cache>,
    outage: Outage,
    out: Arc<Mutex<Table<T>>>,
}

type Flight<T> = Shared<Question<T>>;
type Question<T> = BoxFuture<'static, Result<Option<T>, Failure>>;

/// What is out. An entry goes with its question, so there are never more than there are requests and known things.
struct Table<T> {
    entries: HashMap<Key, Entry<T>>,
    /// How many were begun.
    begun: u64,
}

struct Entry<T> {
    number: u64,
    /// Of the moment before the question.
    stamp: Stamp,
    flight: WeakShared<Question<T>>,
}

/// What becomes of a question for which nobody waits any more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unheard {
    Ends,
    GoesOn,
}

/// Where an answer comes from.
pub(crate) enum Answer<K, T> {
    /// From a moment ago.
    Known(K),
    /// From the database.
    Found(Option<T>),
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// None is out. What `cache` has needs no question; what was known serves while `outage` says that there is no answer.
    pub(crate) fn new(cache: &Arc<dyn Cache>, outage: &Outage) -> Self {
        let table = Table { entries: HashMap::new(), begun: 0 };
        Self { cache: Arc::clone(cache), outage: outage.clone(), out: Arc::new(Mutex::new(table)) }
    }

    /// What the cache has under `key`, else what the database says. The question gets the key's stamp and puts what it found into
    /// the cache.
    pub(crate) async fn look_up<F>(
        &self,
        key: &Key,
        read: impl Fn(&Bytes) -> Option<T>,
        question: impl Fn(Stamp) -> F,
    ) -> Result<Option<T>, DatabaseError>
    where
        F: Future<Output = Result<Option<T>, DatabaseError>> + Send + 'static,
    {
        if let Some(found) = self.cache.get(key).await.and_then(|value| read(&value)) {
            return Ok(Some(found));
        }
        let known = self.cache.last_known(key).await.and_then(|value| read(&value));
        match self.ask(key, known, question).await? {
            Answer::Known(known) => Ok(Some(known)),
            Answer::Found(found) => Ok(found),
        }
    }

    /// What the database says; what was known, if it cannot say anything now.
    pub(crate) async fn ask<K, F>(
        &self,
        key: &Key,
        known: Option<K>,
        question: impl Fn(Stamp) -> F,
    ) -> Result<Answer<K, T>, DatabaseError>
    where
        F: Future<Output = Result<Option<T>, DatabaseError>> + Send + 'static,
    {
        let Some(known) = known else {
            return Ok(Answer::Found(self.share(key, &question, Unheard::Ends).await?));
        };
        // Nothing is begun before it is waited for, which it is not while the database does not answer.
        let asking = async { Ok(self.share(key, &question, Unheard::GoesOn).await?) };
        match self.outage.ask(asking).await {
            Err(DatabaseError::Unavailable(_)) => Ok(Answer::Known(known)),
            answer => Ok(Answer::Found(answer?)),
        }
    }

    /// The answer to a question that was out at no time before this, or to one whose answer is believed.
    async fn share<F>(
        &self,
        key: &Key,
        question: &impl Fn(Stamp) -> F,
        unheard: Unheard,
    ) -> Result<Option<T>, Failure>
    where
        F: Future<Output = Result<Option<T>, DatabaseError>> + Send + 'static,
    {
        let (flight, is_first) = self.join(key, question, unheard);
        let found = flight.await?;
        if is_first || (found.is_some() && self.cache.get(key).await.is_some()) {
            return Ok(found);
        }
        // It may hold room for which the next one waits.
        drop(found);
        // What is out now began after the first one ended.
        let (flight, _) = self.join(key, question, unheard);
        flight.await
    }

    /// The question about `key` that is out, or this one, and whether it is this one.
    fn join<F>(&self, key: &Key, question: &impl Fn(Stamp) -> F, unheard: Unheard) -> (Flight<T>, bool)
    where
        F: Future<Output = Result<Option<T>, DatabaseError>> + Send + 'static,
    {
        let mut table = lock(&self.out);
        // Under the lock, so that no later question has an earlier stamp.
        let stamp = self.cache.stamp(key);
        let entry = table.entries.get(key).filter(|entry| entry.stamp == stamp);
        if let Some(flight) = entry.and_then(|entry| entry.flight.upgrade()) {
            return (flight, false);
        }
        table.begun += 1;
        let number = table.begun;
        let landing = Landing { out: Arc::clone(&self.out), key: key.clone(), number };
        let question = question(stamp);
        let flight = async move {
            let _landing = landing;
            question.await.map_err(Failure::from)
        };
        let flight = flight.boxed().shared();
        let weak = flight.downgrade().unwrap_or_else(|| unreachable!("it has not begun"));
        table.entries.insert(key.clone(), Entry { number, stamp, flight: weak });
        drop(table);
        if unheard == Unheard::GoesOn {
            tokio::spawn(flight.clone().in_current_span());
        }
        (flight, true)
    }
}

/// Takes a question out of the table when it ends, with an answer or without.
struct Landing<T> {
    out: Arc<Mutex<Table<T>>>,
    key: Key,
    number: u64,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut table = lock(&self.out);
        // A later one may have taken its place.
        if table.entries.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            table.entries.remove(&self.key);
        }
    }
}

fn lock<T>(out: &Mutex<Table<T>>) -> MutexGuard<'_, Table<T>> {
    // The table is right after every single step.
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> fmt::Debug for Flights<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("out", &lock(&self.out).entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
