//! The few places that attempts of one address have, and the line before them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All lines that somebody stands in.
pub(super) struct Places {
    at_once: usize,
    waiting: usize,
    lines: Mutex<HashMap<Bytes, Weak<Line>>>,
}

/// One address's.
struct Line {
    admitted: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
}

/// One place, taken until it is dropped.
pub(super) struct Place {
    _line: Arc<Line>,
    _held: [OwnedSemaphorePermit; 2],
}

impl Places {
    /// So many places at once for each address, and so many more that wait.
    pub(super) fn new(at_once: usize, waiting: usize) -> Self {
        Self { at_once: at_once.max(1), waiting, lines: Mutex::default() }
    }

    /// A place, when the turn comes; `None` if too many are in line.
    pub(super) async fn enter(&self, address: &Bytes) -> Option<Place> {
        let line = self.line(address);
        let admitted = Arc::clone(&line.admitted).try_acquire_owned().ok()?;
        let turn = Arc::clone(&line.at_once).acquire_owned().await.ok()?;
        Some(Place { _line: line, _held: [admitted, turn] })
    }

    fn line(&self, address: &Bytes) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(address).and_then(Weak::upgrade) {
            return line;
        }
        // Lines that nobody stands in are forgotten here: never more are held than there are addresses at once.
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Line {
            admitted: Arc::new(Semaphore::new(self.at_once + self.waiting)),
            at_once: Arc::new(Semaphore::new(self.at_once)),
        });
        lines.insert(address.clone(), Arc::downgrade(&line));
        line
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_its_places_and_takes_nobody_elses() {
        let (places, busy, other) = (Places::new(2, 1), Bytes::from_static(b"a"), Bytes::from_static(b"b"));
        let first = places.enter(&busy).await.expect("a place");
        let _second = places.enter(&busy).await.expect("a place");
        let mut third = Box::pin(places.enter(&busy));
        assert!(futures::poll!(&mut third).is_pending(), "it waits for its turn");
        assert!(places.enter(&busy).await.is_none(), "the line is full");
        assert!(places.enter(&other).await.is_some());
        drop(first);
        assert!(third.await.is_some());
        assert_eq!(places.lines.lock().unwrap().len(), 2);
        assert!(places.enter(&Bytes::from_static(b"c")).await.is_some());
        assert_eq!(places.lines.lock().unwrap().len(), 2, "the empty line is gone");
    }
}
