//! How long each kind of thing is remembered.

use std::time::{Duration, Instant};

use berth_cache::{Key, Kind};
use bytes::Bytes;
use moka::Expiry;

/// How long each kind is remembered after it was looked up; zero is never. Where other processes change the same data and
/// nobody tells this one, these bound how stale an answer can be; else they only bound what idle entries cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Repository name → its numbers.
    pub repository: Duration,
    /// Tag → digest.
    pub tag: Duration,
    /// Manifests.
    pub manifest: Duration,
    /// Places of blobs.
    pub blob: Duration,
}

impl Default for Lifetimes {
    /// Tags for five seconds, places of blobs for a minute, because a repair beside a running server may change them; everything
    /// else for an hour.
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self { repository: hour, tag: Duration::from_secs(5), manifest: hour, blob: Duration::from_mins(1) }
    }
}

impl Lifetimes {
    /// The lifetime of one kind.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Repository => self.repository,
            Kind::Tag => self.tag,
            Kind::Manifest => self.manifest,
            Kind::Blob => self.blob,
        }
    }
}

impl Expiry<Key, Bytes> for Lifetimes {
    fn expire_after_create(&self, key: &Key, _value: &Bytes, _at: Instant) -> Option<Duration> {
        Some(self.of(key.kind))
    }

    fn expire_after_update(
        &self,
        key: &Key,
        _value: &Bytes,
        _at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(key.kind))
    }
}
