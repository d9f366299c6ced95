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
pub(crate) struct Streams(Arc<Mutex<Vec<Weak<Stream>>>>);

impl Streams {
    /// Ends those whose clients have taken nothing for `limit`, and forgets what they held. How many.
    pub(crate) fn let_go(&self, limit: Duration) -> usize {
        let mut streams = self.lock();
        streams.retain(|stream| stream.strong_count() > 0);
        let stuck = streams.iter().filter_map(Weak::upgrade).filter(|stream| stream.held.longer_than(limit));
        stuck.map(|stream| stream.let_go.cancel()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Stream>>> {
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
                streams.retain(|stream| stream.strong_count() > 0);
            }
            streams.push(Arc::downgrade(&stream));
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
}
