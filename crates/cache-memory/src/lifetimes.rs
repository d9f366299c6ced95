//! How long each kind of thing is remembered.

use std::time::{Duration, Instant};

use berth_cache::{Key, Kind};
use moka::Expiry;

use crate::Entry;

/// How long each kind is believed after it was looked up; zero is never. Where other processes change the same data and
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
    /// For how long anything serves pulls that the database cannot answer.
    pub last_known: Duration,
}

impl Default for Lifetimes {
    /// Tags for five seconds, and places of blobs, because a repair beside a running server may change them; everything else for an
    /// hour. A minute long all serves pulls that the database cannot answer.
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        let minute = Duration::from_mins(1);
        Self {
            repository: hour,
            tag: Duration::from_secs(5),
            manifest: hour,
            blob: Duration::from_secs(5),
            last_known: minute,
        }
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
            // Only told, never remembered: see the port.
            Kind::Subject | Kind::Project | Kind::Group | Kind::Session => Duration::ZERO,
        }
    }

    /// How long one kind is kept.
    pub(crate) fn kept(&self, kind: Kind) -> Duration {
        self.of(kind).max(self.last_known)
    }
}

impl Expiry<Key, Entry> for Lifetimes {
    fn expire_after_create(&self, key: &Key, _entry: &Entry, _at: Instant) -> Option<Duration> {
        Some(self.kept(key.kind))
    }

    fn expire_after_update(
        &self,
        key: &Key,
        _entry: &Entry,
        _at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.kept(key.kind))
    }
}
