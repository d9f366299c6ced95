//! The sessions that this process is writing to. What it knows of its own tasks is certain, so no row has to say it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_domain::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

/// The live writers, at most one a session.
#[derive(Default)]
pub(crate) struct Writers(Mutex<HashMap<Uuid, Arc<Live>>>);

struct Live {
    progressed_at: AtomicI64,
    stop: watch::Sender<bool>,
    left: watch::Sender<bool>,
}

/// The right of one request of this process to write to one session; it ends when dropped.
pub(crate) struct Registration {
    writers: Arc<Writers>,
    id: Uuid,
    live: Arc<Live>,
}

impl Writers {
    /// The right to write to the session; `None` if a task has it.
    pub(crate) fn enter(self: &Arc<Self>, id: Uuid, now: Timestamp) -> Option<Registration> {
        match self.lock().entry(id) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                let live = Arc::new(Live {
                    progressed_at: AtomicI64::new(now.as_micros()),
                    stop: watch::Sender::new(false),
                    left: watch::Sender::new(false),
                });
                free.insert(Arc::clone(&live));
                Some(Registration { writers: Arc::clone(self), id, live })
            }
        }
    }

    /// When the session's writer last brought bytes, if there is one.
    pub(crate) fn progressed_at(&self, id: Uuid) -> Option<Timestamp> {
        let live = self.lock().get(&id).map(Arc::clone)?;
        Some(Timestamp::from_micros(live.progressed_at.load(Ordering::Relaxed)))
    }

    /// Asks the session's writer to stop at a checkpoint, and waits until it left or `patience` is over.
    pub(crate) async fn stop(&self, id: Uuid, patience: Duration) {
        let live = self.lock().get(&id).map(Arc::clone);
        if let Some(live) = live {
            live.stop.send_replace(true);
            let mut left = live.left.subscribe();
            // Whoever waited too long finds the writer still there.
            let _ = tokio::time::timeout(patience, left.wait_for(|left| *left)).await;
        }
    }

    /// Stops all of them.
    pub(crate) async fn stop_all(&self, patience: Duration) {
        let ids: Vec<Uuid> = self.lock().keys().copied().collect();
        futures::future::join_all(ids.into_iter().map(|id| self.stop(id, patience))).await;
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Live>>> {
        // The map is right after every single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    /// Notes that bytes came.
    pub(crate) fn progress(&self, now: Timestamp) {
        self.live.progressed_at.store(now.as_micros(), Ordering::Relaxed);
    }

    /// Whether the writer was asked to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        *self.live.stop.borrow()
    }

    /// Returns when the writer is asked to stop.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.live.stop.subscribe();
        // The sender lives as long as the registration.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.writers.lock().remove(&self.id);
        self.live.left.send_replace(true);
    }
}

impl fmt::Debug for Writers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writers").field("count", &self.count()).finish()
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_task_a_session_and_it_can_be_stopped() {
        let writers = Arc::new(Writers::default());
        let (id, now) = (Uuid::from_u128(7), Timestamp::from_micros(5));
        let first = writers.enter(id, now).expect("nobody writes");
        assert!(writers.enter(id, now).is_none());
        first.progress(Timestamp::from_micros(9));
        assert_eq!(writers.progressed_at(id), Some(Timestamp::from_micros(9)));
        assert!(!first.is_stopped());
        let task = tokio::spawn(async move {
            first.stopped().await;
            assert!(first.is_stopped());
        });
        writers.stop(id, Duration::from_mins(1)).await;
        task.await.expect("it stopped");
        assert_eq!(writers.progressed_at(id), None);
        assert!(writers.enter(id, now).is_some());
        assert_eq!(writers.count(), 0);
    }
}
