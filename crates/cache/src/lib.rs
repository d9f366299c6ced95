//! The port to hints: what was looked up before and is probably still true.
//!
//! A cache is never the truth and never fails: an adapter that cannot reach its server misses. A lost cache costs time only.
//!
//! **Invariant: nothing stale is put back.** Who looks something up takes a [`Stamp`] first; [`Cache::put`] keeps the value only
//! if the key was not invalidated since. So a change that commits and invalidates while a reader still holds the old row cannot
//! be undone by that reader.
//!
//! Who keeps what they found in a form of their own needs only the second half: they ask on each look whether the [`Stamp`] still
//! stands, and so hear of every change that was told to the cache, on this replica or another.
#![deny(missing_docs)]

pub mod attempts;
pub mod conformance;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

pub use attempts::{Attempts, Failures};

/// Remembers bytes under keys, for a while.
#[async_trait]
pub trait Cache: Send + Sync + fmt::Debug {
    /// What is remembered under `key` and still believed, if anything.
    async fn get(&self, key: &Key) -> Option<Bytes>;

    /// What was last remembered under `key`, though it may be believed no longer: for a pull that the database cannot answer.
    /// Nothing that was invalidated.
    async fn last_known(&self, key: &Key) -> Option<Bytes>;

    /// Taken before the value is looked up; given to [`Cache::put`] afterwards. It costs a look into memory, whatever the cache is
    /// made of.
    fn stamp(&self, key: &Key) -> Stamp;

    /// Whether nobody told this replica of a change of the stamp's key since it was taken. It is asked on hot paths: it costs one
    /// load from memory.
    fn stands(&self, stamp: Stamp) -> bool;

    /// Remembers `value`, unless `key` was invalidated after `stamp` was taken.
    async fn put(&self, key: Key, value: Bytes, stamp: Stamp);

    /// Forgets `keys`, here and on every replica; returns when no later `get` on this replica can see the old values and the
    /// others were told.
    async fn invalidate(&self, keys: &[Key]);
}

/// What kind of thing is remembered; it decides for how long and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Repository name → its numbers. Dies with the repository.
    Repository,
    /// Tag → digest. Short-lived, because another replica may move it.
    Tag,
    /// Manifest by digest, with its bytes. Never changes; may be deleted.
    Manifest,
    /// Blob of a repository → where its bytes lie, or the bytes if they are few.
    Blob,
    /// An account, by what it is and its number. Nothing is remembered under this kind and those below: `access` keeps what it knows
    /// of rights itself, and hears of changes here.
    Subject,
    /// A project and who its members are, by its name.
    Project,
    /// All groups together: roles that come by way of them.
    Group,
    /// A browser's session, by the hash of its cookie.
    Session,
}

/// The name of one remembered thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// The number of the repository that scopes `name`; 0 where the kind has no scope.
    pub scope: i64,
    /// Its name within the scope, in the caller's compact form.
    pub name: Bytes,
}

impl Key {
    /// A repository by its full name. Whoever makes one go forgets this.
    #[must_use]
    pub fn repository(name: &str) -> Self {
        Self { kind: Kind::Repository, scope: 0, name: Bytes::copy_from_slice(name.as_bytes()) }
    }
}

/// The state of a key's invalidations when a look-up began. Its numbers mean something to the cache alone that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Where the key's invalidations are counted.
    pub place: usize,
    /// How many there were.
    pub count: u64,
}
