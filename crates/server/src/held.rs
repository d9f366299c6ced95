//! Pieces of answers that wait for the client, in memory of the process's budget.
//!
//! A client that takes nothing blocks its socket, which its watchdog sees. One of HTTP/2 may go on talking while it takes no byte of
//! an answer, one of HTTP/1.1 may take a byte now and then, and the piece that was read for it stays in memory as long.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// The pieces of one stream, or of one connection that is one by itself, that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<Pieces>);

#[derive(Debug, Default)]
struct Pieces {
    /// The number of each and when it was handed on, the oldest first.
    since: VecDeque<(u64, Instant)>,
    next: u64,
}

/// A piece on its way; it has left, or never will, when it is dropped.
struct Piece {
    bytes: Bytes,
    number: u64,
    held: Arc<Held>,
}

impl Held {
    /// The same bytes, watched until they are dropped.
    pub(crate) fn watch(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        let mut pieces = self.pieces();
        let number = pieces.next;
        pieces.next += 1;
        pieces.since.push_back((number, Instant::now()));
        drop(pieces);
        Bytes::from_owner(Piece { bytes, number, held: Arc::clone(self) })
    }

    /// Whether a piece has been on its way for longer than `limit`.
    pub(crate) fn longer_than(&self, limit: Duration) -> bool {
        self.pieces().since.front().is_some_and(|(_, since)| since.elapsed() >= limit)
    }

    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        // The list is right after every single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut pieces = self.held.pieces();
        if let Ok(place) = pieces.since.binary_search_by_key(&self.number, |(number, _)| *number) {
            pieces.since.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_piece_counts_until_it_leaves() {
        let (held, limit) = (Arc::new(Held::default()), Duration::from_mins(1));
        let first = held.watch(Bytes::from_static(b"berth"));
        tokio::time::advance(limit / 2).await;
        let second = held.watch(Bytes::from_static(b"pier"));
        assert_eq!((&first[..], &second[..]), (&b"berth"[..], &b"pier"[..]));
        tokio::time::advance(limit / 2).await;
        assert!(held.longer_than(limit));
        drop(first);
        assert!(!held.longer_than(limit));
        tokio::time::advance(limit / 2).await;
        let slice = second.slice(1..);
        drop(second);
        assert!(held.longer_than(limit));
        drop(slice);
        assert!(!held.longer_than(Duration::ZERO));
    }
}
