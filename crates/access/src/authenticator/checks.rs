//! Equal checks at the same time are one check.
//!
//! A fleet that starts together shows the same secret many times within the time of one hash. **Invariant.** What is shared depends
//! on what was shown alone, a name and a secret: whoever measures learns nothing of which names there are.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::LoginError;
use crate::caller::Identity;

/// What came of a check; `None` is a wrong name or secret.
type Outcome = OnceCell<Option<Identity>>;

/// The checks that are going on, by the fingerprint of what was shown.
#[derive(Default)]
pub(super) struct Checks {
    running: Mutex<HashMap<[u8; 32], Weak<Outcome>>>,
}

impl Checks {
    /// What comes out of `check`, or of an equal one that is under way. If that one is given up, or fails without having found out,
    /// the next who waits does its own.
    pub(super) async fn join(
        &self,
        fingerprint: [u8; 32],
        check: impl Future<Output = Result<Identity, LoginError>> + Send,
    ) -> Result<Identity, LoginError> {
        let cell = self.cell(fingerprint);
        let outcome = cell.get_or_try_init(|| async {
            match check.await {
                Ok(identity) => Ok(Some(identity)),
                Err(LoginError::Wrong) => Ok(None),
                Err(error) => Err(error),
            }
        });
        outcome.await?.clone().ok_or(LoginError::Wrong)
    }

    fn cell(&self, fingerprint: [u8; 32]) -> Arc<Outcome> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = running.get(&fingerprint).and_then(Weak::upgrade) {
            return cell;
        }
        // Whatever ended is forgotten here: never more are held than are asked for at once.
        running.retain(|_, cell| cell.strong_count() > 0);
        let cell = Arc::default();
        running.insert(fingerprint, Arc::downgrade(&cell));
        cell
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use berth_domain::{Actor, Timestamp};

    use super::*;

    fn somebody() -> Identity {
        Identity { actor: Actor::system(), issued_at: Timestamp::from_micros(1), ends_at: None }
    }

    #[tokio::test]
    async fn a_check_that_is_given_up_or_fails_is_done_by_the_next() {
        let checks = Checks::default();
        let mut first = Box::pin(checks.join([1; 32], pending()));
        assert!(futures::poll!(&mut first).is_pending());
        let mut second = Box::pin(checks.join([1; 32], ready(Ok(somebody()))));
        assert!(futures::poll!(&mut second).is_pending(), "it waits for the first");
        drop(first);
        assert_eq!(second.await.unwrap(), somebody());

        let failed = checks.join([2; 32], ready(Err(LoginError::Revoked)));
        let (failed, next) = tokio::join!(failed, checks.join([2; 32], ready(Ok(somebody()))));
        assert!(matches!(failed, Err(LoginError::Revoked)));
        assert_eq!(next.unwrap(), somebody());
    }

    #[tokio::test]
    async fn a_wrong_secret_is_shared_too_and_nothing_outlives_its_check() {
        let checks = Checks::default();
        let wrong = checks.join([1; 32], async {
            tokio::task::yield_now().await;
            Err(LoginError::Wrong)
        });
        let (first, second) = tokio::join!(wrong, checks.join([1; 32], pending()));
        assert!(matches!((first, second), (Err(LoginError::Wrong), Err(LoginError::Wrong))));
        assert_eq!(checks.join([1; 32], ready(Ok(somebody()))).await.unwrap(), somebody());
    }
}
