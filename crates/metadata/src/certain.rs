//! What an attempt at a use case rests on that may never come to be.
//!
//! A database may show a transaction what others did that wait for their commit together. Who commits after them shares their fate, and
//! who is refused by them could be refused by something that no one will ever see. So an attempt ends when it is known what became of
//! what it saw: [`retry!`](crate::retry) makes each one [`certain`]. A transaction that is opened outside of an attempt has nobody to tell,
//! so its database shows it only what is committed.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;

use crate::Error;

/// Whether what was seen came to be, as soon as that is known.
pub type CameToBe = BoxFuture<'static, bool>;

/// An attempt that is being made. Cheap to clone.
#[derive(Clone, Default)]
pub struct Attempt(Arc<Mutex<Vec<CameToBe>>>);

thread_local! {
    /// The one whose work this thread is doing.
    static CURRENT: RefCell<Option<Attempt>> = const { RefCell::new(None) };
}

impl Attempt {
    /// The one that whoever calls this belongs to.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Lets it end only when this is known. For databases, about a transaction that ends without a commit.
    pub fn rests_on(&self, seen: CameToBe) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    fn take(&self) -> Vec<CameToBe> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does the work of one attempt. If what it rests on did not come to be, its outcome is worth nothing: it is [`Error::Conflict`] then.
pub fn certain<T, E, W>(work: W) -> impl Future<Output = Result<T, E>>
where
    E: From<Error>,
    W: Future<Output = Result<T, E>>,
{
    let attempt = Attempt::default();
    // In a box, so that it can be polled here and whoever waits for it does not grow by it.
    let work = Work { attempt: attempt.clone(), work: Box::pin(work) };
    async move {
        let outcome = work.await;
        for seen in attempt.take() {
            if !seen.await {
                return Err(Error::Conflict.into());
            }
        }
        outcome
    }
}

/// Work that belongs to an attempt.
struct Work<W> {
    attempt: Attempt,
    work: Pin<Box<W>>,
}

impl<W: Future> Future for Work<W> {
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<W::Output> {
        let _before = Before(CURRENT.replace(Some(self.attempt.clone())));
        self.work.as_mut().poll(cx)
    }
}

/// The attempt whose work the thread did before; it goes on with it when this goes, also if the work panics.
struct Before(Option<Attempt>);

impl Drop for Before {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::{lazy, pending, ready};

    use super::*;

    /// An attempt that is refused for what it saw.
    fn refused_by(seen: CameToBe) -> impl Future<Output = Result<(), Error>> {
        lazy(|_| {
            Attempt::current().expect("in an attempt").rests_on(seen);
            Err(Error::Corrupt("what was seen".to_owned()))
        })
    }

    #[test]
    fn a_refusal_stands_if_what_it_rests_on_came_to_be() {
        assert!(certain(refused_by(pending().boxed())).now_or_never().is_none());
        let stands = certain(refused_by(ready(true).boxed())).now_or_never();
        assert!(matches!(stands, Some(Err(Error::Corrupt(_)))), "{stands:?}");
        let falls = certain(refused_by(ready(false).boxed())).now_or_never();
        assert!(matches!(falls, Some(Err(Error::Conflict))), "{falls:?}");
    }

    #[test]
    fn an_attempt_is_current_while_its_work_is_done() {
        assert!(Attempt::current().is_none());
        let inner = async { Attempt::current().ok_or(Error::Conflict).map(drop) };
        let outer = async {
            certain(inner).await?;
            Attempt::current().ok_or(Error::Conflict).map(drop)
        };
        assert!(matches!(certain(outer).now_or_never(), Some(Ok(()))));
        assert!(Attempt::current().is_none());
    }
}
