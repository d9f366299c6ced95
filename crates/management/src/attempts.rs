//! Trying a use case again whose transaction another one overtook.

use std::time::Duration;

use crate::{Error, Result};

/// How often a use case begins anew before its caller is told.
const MOST: u32 = 6;

/// The attempts at one use case.
#[derive(Debug, Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// How long to wait before the next attempt; `None` if `outcome` is final.
    pub(crate) fn pause<T>(&mut self, outcome: &Result<T>) -> Option<Duration> {
        let conflict = matches!(outcome, Err(Error::Database(berth_metadata::Error::Conflict)));
        if !conflict || self.0 == MOST {
            return None;
        }
        self.0 += 1;
        Some(Duration::from_millis(1 << self.0))
    }
}

/// Evaluates an expression of type [`Result`] until it does not end in a conflict any more, a few times at most.
macro_rules! retry {
    ($attempt:expr) => {{
        let mut attempts = $crate::attempts::Attempts::default();
        loop {
            let outcome = $attempt;
            match attempts.pause(&outcome) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => break outcome,
            }
        }
    }};
}
pub(crate) use retry;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_conflict_is_tried_again_and_nothing_else() {
        let mut tries = 0;
        let mut attempt = |good_at: u32| {
            tries += 1;
            if tries < good_at { Err(Error::Database(berth_metadata::Error::Conflict)) } else { Ok(tries) }
        };
        assert_eq!(retry!(attempt(3)).ok(), Some(3));
        assert!(retry!(attempt(u32::MAX)).is_err());
        assert_eq!(tries, 3 + MOST + 1);
        let mut unknown = 0;
        let outcome: Result<()> = retry!({
            unknown += 1;
            Err(Error::Exceeds)
        });
        assert!(outcome.is_err());
        assert_eq!(unknown, 1);
    }
}
