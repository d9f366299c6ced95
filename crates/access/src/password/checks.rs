//! Checks of one password against one hash that come at the same time are one check.
//!
//! A fleet that starts together shows the same secret many times within the time of one hash.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use berth_domain::Entropy;
use tokio::sync::OnceCell;

use super::{PasswordError, Verdict};
use crate::Secret;
use crate::robot_secret::SecretKey;

/// The checks that are going on.
pub(super) struct Checks {
    /// Of this process alone: what is compared is never kept as it is.
    key: SecretKey,
    running: Mutex<HashMap<[u8; 32], Weak<OnceCell<Verdict>>>>,
}

impl Checks {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self { key: SecretKey::generate(entropy), running: Mutex::default() }
    }

    /// What comes out of checking `secret` against `stored`: of `check`, or of an equal one that is under way. If that one is given
    /// up or fails, the next who waits does its own.
    pub(super) async fn join<F>(
        &self,
        stored: &str,
        secret: &Secret,
        check: impl FnOnce() -> F + Send,
    ) -> Result<Verdict, PasswordError>
    where
        F: Future<Output = Result<Verdict, PasswordError>> + Send,
    {
        let cell = self.cell(self.key.fingerprint(stored, secret));
        cell.get_or_try_init(check).await.copied()
    }

    fn cell(&self, key: [u8; 32]) -> Arc<OnceCell<Verdict>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = running.get(&key).and_then(Weak::upgrade) {
            return cell;
        }
        // Whatever ended is forgotten here: never more are held than are asked for at once.
        running.retain(|_, cell| cell.strong_count() > 0);
        let cell = Arc::default();
        running.insert(key, Arc::downgrade(&cell));
        cell
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").finish_non_exhaustive()
    }
}
