//! What is counted of log-ins and tokens, for metrics. Nobody's name is ever part of it.

use std::sync::atomic::{AtomicU64, Ordering};

use berth_domain::ActorKind;

use crate::LoginError;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

/// Names and secrets that were shown, by what came of it.
#[derive(Debug, Default)]
pub struct LogIns {
    /// They were right.
    pub ok: Count,
    /// They were wrong.
    pub refused: Count,
    /// They were not looked at: too many wrong ones came before, or too many at once.
    pub delayed: Count,
    /// How often the database was asked for an account of that name.
    pub looked_up: Count,
}

/// Tokens that were issued and checked.
#[derive(Debug, Default)]
pub struct TokenCounts {
    /// Issued to people.
    pub to_users: Count,
    /// Issued to robots.
    pub to_robots: Count,
    /// Issued to whoever showed no credentials.
    pub to_anonymous: Count,
    /// Shown, and remembered as good.
    pub remembered: Count,
    /// Shown, and checked.
    pub checked: Count,
}

impl Count {
    /// How many there were since the start.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl LogIns {
    /// Counts one. What failed for no fault of the client is none.
    pub(crate) fn count<T>(&self, outcome: &Result<T, LoginError>) {
        match outcome {
            Ok(_) => self.ok.one_more(),
            Err(LoginError::Wrong) => self.refused.one_more(),
            Err(LoginError::Slow { .. } | LoginError::Busy) => self.delayed.one_more(),
            Err(_) => {}
        }
    }
}

impl TokenCounts {
    pub(crate) fn issued_to(&self, kind: ActorKind) {
        match kind {
            ActorKind::User => self.to_users.one_more(),
            ActorKind::Robot => self.to_robots.one_more(),
            ActorKind::Anonymous => self.to_anonymous.one_more(),
            ActorKind::System => {}
        }
    }
}
