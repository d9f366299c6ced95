//! Counts of failures, shared by all replicas: what guessing is slowed down by. An attempt is counted before it is made and taken
//! back if it was none, so that attempts at the same time know of each other.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// Counts failures under names. Like the cache it never fails: an adapter that cannot reach its server counts in its own process.
#[async_trait]
pub trait Attempts: Send + Sync + fmt::Debug {
    /// The failures under `name` that still count.
    async fn failures(&self, name: &Bytes) -> Failures;

    /// Counts one more, atomically with respect to all replicas. All of them are forgotten `window` after the last one.
    async fn fail(&self, name: Bytes, window: Duration) -> Failures;

    /// Takes one back that turned out to be none, atomically likewise. The end of the others stays where it is.
    async fn take_back(&self, name: &Bytes);

    /// Forgets the failures under `name`.
    async fn forget(&self, name: &Bytes);
}

/// What is known under one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// How long ago the last one was.
    pub since_last: Duration,
}
