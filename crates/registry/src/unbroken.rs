//! Work that comes to its end even if nobody waits for it any more.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tracing::Instrument as _;

/// Runs `work` where it is awaited, which spares the hand-over to a task of its own; only if it is given up in the middle, the
/// rest of it runs as one. A request that is dropped must not cut a checkpoint short.
pub fn unbroken<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Unbroken<T> {
    Unbroken { work: Some(Box::pin(work.in_current_span())) }
}

/// See [`unbroken`].
#[must_use = "it begins when it is awaited"]
pub struct Unbroken<T: Send + 'static> {
    /// `None` once it has ended.
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T: Send + 'static> Future for Unbroken<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out meanwhile, so that work which panics is not begun again.
        let Some(mut work) = self.work.take() else { unreachable!("nobody asks for an outcome twice") };
        let outcome = work.as_mut().poll(cx);
        if outcome.is_pending() {
            self.work = Some(work);
        }
        outcome
    }
}

impl<T: Send + 'static> Drop for Unbroken<T> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end.
        if let Some(work) = self.work.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async { drop(work.await) });
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Unbroken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unbroken").field("ended", &self.work.is_none()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_is_given_up_runs_on() {
        let ((go, wait), (tell, told)) = (oneshot::channel(), oneshot::channel());
        let mut work = unbroken(async {
            wait.await.expect("the test lets it go on");
            tell.send(7).expect("the test listens");
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        go.send(()).expect("the work goes on");
        assert_eq!(told.await, Ok(7));
    }

    #[tokio::test]
    async fn work_that_is_waited_for_ends_there() {
        assert_eq!(unbroken(async { 7 }).await, 7);
    }

    #[tokio::test]
    async fn work_that_panics_is_over() {
        let mut work = unbroken::<()>(async { panic!("as the test wants it") });
        assert!(AssertUnwindSafe(&mut work).catch_unwind().await.is_err());
        assert_eq!(format!("{work:?}"), "Unbroken { ended: true }", "nothing is left to run on");
    }

    #[test]
    fn work_without_a_runtime_is_dropped() {
        let (tell, mut told) = oneshot::channel();
        let mut work = unbroken(async move {
            std::future::pending::<()>().await;
            let _ = tell.send(7);
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        assert!(told.try_recv().is_err());
    }
}
