//! Waiting for a condition.

use std::thread;
use std::time::{Duration, Instant};

/// Tries until `attempt` gives something; panics with `what` when `patience` is over.
#[track_caller]
pub fn until<T>(what: &str, patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(began.elapsed() < patience, "waited {} s in vain until {what}", patience.as_secs());
        thread::sleep(Duration::from_millis(20));
    }
}
