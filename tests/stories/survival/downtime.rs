//! When the server is down on purpose. Only then may an answer be missing, and never may it be another one than is permitted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use berth_testkit::Response;

/// Whether the server was killed and is not back yet. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Downtime(Arc<AtomicBool>);

impl Downtime {
    /// The server is about to be killed.
    pub(super) fn begins(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// It answers again, and everybody has seen the end of what was under way when it was killed.
    pub(super) fn ends(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// The answer to what was asked; `None` if none came because the server was killed. Panics if it hung up without that, or said
    /// anything else than one of these statuses.
    #[track_caller]
    pub(super) fn answer(
        &self,
        asked: &str,
        outcome: io::Result<Response>,
        permitted: &[u16],
    ) -> Option<Response> {
        match outcome {
            Ok(answer) => {
                let status = answer.status;
                assert!(
                    permitted.contains(&status),
                    "{asked}: {status} instead of {permitted:?}: {}",
                    answer.text()
                );
                Some(answer)
            }
            Err(error) => {
                assert!(self.0.load(Ordering::SeqCst), "{asked}: {error}, and nobody killed the server");
                None
            }
        }
    }
}
