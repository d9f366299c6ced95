//! The streams of an HTTP/2 connection: each is a task of its own, and ended by itself when its client takes nothing of the answer.
//!
//! A client of HTTP/1.1 that takes nothing, or too little, loses its connection. One of HTTP/2 may go on with other streams meanwhile,
//! and they are not to pay for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;

use crate::held::Held;

tokio::task_local! {
    /// The stream that a task answers on.
    static STREAM: Arc<Stream>;
}

/// One stream, as long as its task runs.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// What of its answer is on its way.
    pub(crate) held: Arc<Held>,
    let_go: CancellationToken,
}

impl Stream {
    /// The stream that the current task answers on; `None` on a connection that is one stream by itself.
    pub(crate) fn current() -> Option<Arc<Self>> {
        STREAM.try_with(Arc::clone).ok()
    }
}

/// The streams of one connection, and what runs them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(Arc<Mutex<Vec<Kept>>>);

/// What is kept of a stream: its task may end before the last piece of its answer has left.
#[derive(Debug)]
struct Kept {
    stream: Weak<Stream>,
    held: Weak<Held>,
}

impl Kept {
    /// The task has ended and every piece has left.
    fn is_over(&self) -> bool {
        self.held.strong_count() == 0
    }

    fn holds_longer_than(&self, limit: Duration) -> bool {
        self.held.upgrade().is_some_and(|held| held.longer_than(limit))
    }
}

impl Streams {
    /// Ends those whose clients have taken nothing for `limit`, and forgets what they held. How many.
    pub(crate) fn let_go(&self, limit: Duration) -> usize {
        let mut streams = self.lock();
        streams.retain(|kept| !kept.is_over());
        let stuck = streams.iter().filter(|kept| kept.holds_longer_than(limit));
        stuck.filter_map(|kept| kept.stream.upgrade()).map(|stream| stream.let_go.cancel()).count()
    }

    /// Whether the last piece of an answer has been on its way for longer than `limit` after its task ended: nothing ends that but
    /// the end of the connection.
    pub(crate) fn is_one_left_behind(&self, limit: Duration) -> bool {
        self.lock().iter().any(|kept| kept.stream.strong_count() == 0 && kept.holds_longer_than(limit))
    }

    /// Whether none is being answered, and every answer has left.
    pub(crate) fn are_over(&self) -> bool {
        self.lock().iter().all(Kept::is_over)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        // The list is right after every single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        let stream = Arc::new(Stream::default());
        {
            let mut streams = self.lock();
            // Among as many as one connection may have, those that ended are found now and then.
            if streams.len() == streams.capacity() {
                streams.retain(|kept| !kept.is_over());
            }
            streams.push(Kept { stream: Arc::downgrade(&stream), held: Arc::downgrade(&stream.held) });
        }
        let let_go = stream.let_go.clone();
        tokio::spawn(STREAM.scope(stream, async move {
            tokio::select! {
                biased;
                // Dropping the work resets the stream, and what waits for its window is dropped with it.
                () = let_go.cancelled() => tracing::debug!("a client takes nothing of an answer: its stream ends"),
                () = work => {}
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_is_stuck_ends_and_the_others_go_on() {
        let streams = Streams::default();
        let begin = |content: &'static [u8]| {
            let ((held, holding), (go, wait)) = (oneshot::channel(), oneshot::channel::<()>());
            let (tell, ended) = oneshot::channel();
            streams.execute(async move {
                let piece = Stream::current().map(|stream| stream.held.watch(Bytes::from_static(content)));
                let piece = (!content.is_empty()).then_some(piece);
                let _ = held.send(());
                let _ = wait.await;
                drop(piece);
                let _ = tell.send(());
            });
            (holding, go, ended)
        };
        let (stuck, _never, stuck_ended) = begin(b"berth");
        let (moving, go, moving_ended) = begin(b"");
        stuck.await.unwrap();
        moving.await.unwrap();
        assert_eq!(streams.let_go(Duration::from_mins(1)), 0);
        assert_eq!(streams.let_go(Duration::ZERO), 1);
        assert!(stuck_ended.await.is_err(), "it was dropped");
        assert_eq!(streams.let_go(Duration::ZERO), 0);
        go.send(()).unwrap();
        moving_ended.await.unwrap();
        assert!(Stream::current().is_none());
    }

    #[tokio::test]
    async fn a_stream_is_over_when_its_last_piece_has_left() {
        let streams = Streams::default();
        let (hand_over, piece) = oneshot::channel();
        streams.execute(async move {
            let piece = Stream::current().map(|stream| stream.held.watch(Bytes::from_static(b"berth")));
            let _ = hand_over.send(piece);
        });
        let piece = piece.await.unwrap().unwrap();
        while streams.0.lock().unwrap()[0].stream.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!streams.are_over());
        assert_eq!(streams.let_go(Duration::ZERO), 0, "there is no task to end");
        assert!(streams.is_one_left_behind(Duration::ZERO));
        assert!(!streams.is_one_left_behind(Duration::from_mins(1)));
        drop(piece);
        assert!(streams.are_over() && !streams.is_one_left_behind(Duration::ZERO));
    }
}
