//! Many clients at once, each on a thread of its own.

use std::thread::{self, ScopedJoinHandle};

/// Runs `client` with the numbers from 0 on and returns what each gave, or the first failure.
pub(crate) fn together<T: Send>(
    clients: u64,
    client: impl Fn(u64) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let client = &client;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|number| scope.spawn(move || client(number))).collect();
        let results = threads.into_iter().map(ScopedJoinHandle::join);
        results.map(|result| result.unwrap_or_else(|_| Err(anyhow::anyhow!("a client panicked")))).collect()
    })
}
