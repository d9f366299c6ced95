//! Work that would hold up others if it ran where requests do.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

/// What has no more bytes than this is small: work that goes over them is done where it is, since handing it over would take about
/// as long, and they are no more than what a connection holds anyhow.
pub(crate) const SMALL: usize = 64 << 10;

/// How many take their turn at once: what each needs, times this, is all that stands beside the budgets.
const AT_ONCE: usize = 2;

/// Does work that goes over so many bytes: on a blocking thread if they are many.
pub(crate) async fn apart<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes <= SMALL {
        return work();
    }
    joined(spawn_blocking(work)).await
}

/// The outcome of a task. If it panicked, so does this.
pub(crate) async fn joined<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is at its end, and nobody gets an answer any more.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Turns at work that takes several times the memory of the bytes that it goes over, which no budget counts.
#[derive(Debug)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// Like [`apart`]; what goes over many bytes waits for its turn. Work that has begun has its turn to its end, also if nobody
    /// waits for it any more.
    pub(crate) async fn apart<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if bytes <= SMALL {
            return work();
        }
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let turn = turn.unwrap_or_else(|_| unreachable!("the semaphore is never closed"));
        apart(bytes, move || {
            let _turn = turn;
            work()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::pin::pin;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn much_is_done_elsewhere_and_little_here() {
        let here = thread::current().id();
        assert_eq!(apart(SMALL, || thread::current().id()).await, here);
        assert_ne!(apart(SMALL + 1, || thread::current().id()).await, here);
    }

    #[tokio::test]
    async fn a_panic_is_whose_work_it_was() {
        let work = || -> () { panic!("as the test wants it") };
        let outcome = AssertUnwindSafe(apart(SMALL + 1, work)).catch_unwind().await;
        assert_eq!(outcome.unwrap_err().downcast_ref(), Some(&"as the test wants it"));
    }

    /// Work that says when it begins and goes on until it is told to end.
    fn told() -> (Receiver<()>, Sender<()>, impl FnOnce() + Send + 'static) {
        let ((begins, begun), (end, ends)) = (channel(), channel());
        let work = move || {
            begins.send(()).expect("the test waits for it");
            let _ = ends.recv();
        };
        (begun, end, work)
    }

    #[tokio::test]
    async fn so_many_take_their_turn_at_once() {
        let turns = Turns::new();
        let free = || turns.0.available_permits();
        let [(first_begun, _end_first, first_work), (second_begun, end_second, second_work)] =
            [told(), told()];
        let mut first = Box::pin(turns.apart(SMALL + 1, first_work));
        let mut second = pin!(turns.apart(SMALL + 1, second_work));
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        first_begun.recv().unwrap();
        second_begun.recv().unwrap();
        assert_eq!(free(), 0);
        drop(first);
        let mut third = pin!(turns.apart(SMALL + 1, || ()));
        assert!(futures::poll!(&mut third).is_pending());
        assert_eq!(free(), 0, "work that nobody waits for goes on all the same");
        turns.apart(SMALL, || ()).await;
        end_second.send(()).unwrap();
        second.await;
        third.await;
        assert_eq!(free(), 1);
    }
}
