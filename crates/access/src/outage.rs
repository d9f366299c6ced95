//! A database that does not answer: pulls wait for it a moment, once for all of them, and go on with what was known.
//!
//! Where content lies may be told from memory as soon as an answer is late ([`Outage::ask`]). Rights may not: a slow database still
//! takes them away, so they wait until it failed or was silent to everybody ([`Streak`]).

mod streak;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_metadata::Error;
use tokio::time::{Instant, timeout};

pub(crate) use streak::Streak;

/// How long a pull waits for the database before what was known serves it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it counts that the database did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// When the database last did not answer, for everything in this process that serves pulls. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Outage {
    noticed: Arc<Mutex<Option<Instant>>>,
    rights: Streak,
}

/// Nothing came back, or nobody asked because nothing came back a moment ago.
#[derive(Debug, thiserror::Error)]
#[error("no answer in time")]
struct Silence;

impl Outage {
    /// Asks on behalf of a pull that could go on without an answer: [`Error::Unavailable`] if none comes within a second, and
    /// without a question if none came a moment ago.
    pub async fn ask<T>(&self, question: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        if self.is_on() {
            return Err(silence());
        }
        let answer = timeout(PATIENCE, question).await.unwrap_or_else(|_| Err(silence()));
        if matches!(answer, Err(Error::Unavailable(_))) {
            tracing::debug!("the database does not answer: pulls go on with what was known");
            // The moment after the wait: from now on others do not wait for a while.
            *self.noticed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        answer
    }

    /// The same for questions about rights.
    pub(crate) fn rights(&self) -> &Streak {
        &self.rights
    }

    fn is_on(&self) -> bool {
        let noticed = *self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        noticed.is_some_and(|noticed| noticed.elapsed() < AGAIN)
    }
}

fn silence() -> Error {
    Error::Unavailable(Box::new(Silence))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_all() {
        let outage = Outage::default();
        let began = Instant::now();
        assert!(matches!(outage.ask(pending::<Result<(), _>>()).await, Err(Error::Unavailable(_))));
        assert_eq!(began.elapsed(), PATIENCE);
        assert!(outage.clone().ask(ready(Ok(1))).await.is_err(), "it is not asked again at once");
        assert_eq!(began.elapsed(), PATIENCE, "nobody else waits");
        tokio::time::advance(AGAIN).await;
        assert_eq!(outage.ask(ready(Ok(2))).await.expect("it answers again"), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_an_answer_whatever_it_says() {
        let outage = Outage::default();
        assert!(matches!(outage.ask(ready(Err::<(), _>(Error::Conflict))).await, Err(Error::Conflict)));
        assert_eq!(outage.ask(ready(Ok(1))).await.expect("it was asked"), 1);
    }
}
