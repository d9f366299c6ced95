//! Work that would hold up others if it ran where requests do.

use std::panic::resume_unwind;

use tokio::task::spawn_blocking;

/// What goes over fewer bytes than this is done where it is: handing it over would take about as long.
const SMALL: usize = 64 << 10;

/// Does work that goes over so many bytes: on a blocking thread if they are many.
pub(crate) async fn apart<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes <= SMALL {
        return work();
    }
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is at its end, and nobody gets an answer any more.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
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
}
