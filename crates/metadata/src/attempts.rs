//! Trying a use case again whose transaction another one overtook: see [`retry!`](crate::retry).

use std::time::Duration;

use crate::Error;

/// How often a use case begins anew before its caller is told.
const MOST: u32 = 6;

/// An error of a use case, of which one kind says that another transaction came first.
pub trait MayConflict {
    /// Whether it is that kind: nothing happened, and the whole use case may be tried again.
    fn is_conflict(&self) -> bool;
}

/// The attempts at one use case.
#[derive(Debug, Default)]
pub struct Attempts(u32);

impl Attempts {
    /// How long to wait before the next attempt; `None` if `outcome` is final.
    pub fn pause<T, E: MayConflict>(&mut self, outcome: &Result<T, E>) -> Option<Duration> {
        let conflict = outcome.as_ref().is_err_and(E::is_conflict);
        if !conflict || self.0 == MOST {
            return None;
        }
        self.0 += 1;
        Some(Duration::from_millis(1 << self.0))
    }
}

impl MayConflict for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

/// Evaluates an expression, a `Result` whose error [`MayConflict`], until it does not end in a conflict any more, a few times at most,
/// and each time until it is [certain](crate::certain). It waits in between by the caller's tokio.
#[macro_export]
macro_rules! retry {
    ($attempt:expr) => {{
        let mut attempts = $crate::attempts::Attempts::default();
        loop {
            let outcome = $crate::certain::certain(async { $attempt }).await;
            match attempts.pause(&outcome) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => break outcome,
            }
        }
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_conflict_is_tried_again_and_nothing_else() {
        let mut tries = 0;
        let mut attempt = |good_at: u32| {
            tries += 1;
            if tries < good_at { Err(Error::Conflict) } else { Ok(tries) }
        };
        assert_eq!(retry!(attempt(3)).ok(), Some(3));
        assert!(retry!(attempt(u32::MAX)).is_err());
        assert_eq!(tries, 3 + MOST + 1);
        let mut damaged = 0;
        let outcome: Result<(), Error> = retry!({
            damaged += 1;
            Err(Error::Corrupt("a row".to_owned()))
        });
        assert!(outcome.is_err());
        assert_eq!(damaged, 1);
    }
}
