//! What rights are made of, as the cache names it.
//!
//! **Invariant: whoever changes one of these tells the cache between the commit and the answer; whatever is believed because of one
//! of these is compared with the cache on each look.** So a change made here is honoured here by the next question, and by every
//! replica that the cache reaches; where it reaches none, age does the same within five seconds.

use std::sync::Arc;

use berth_cache::{Cache, Key, Kind, Stamp};
use berth_domain::ActorKind;
use berth_oci::ProjectName;
use bytes::Bytes;

/// An account: its credentials, whether it is switched on, what it was given.
pub(crate) fn subject(kind: ActorKind, id: i64) -> Key {
    Key { kind: Kind::Subject, scope: id, name: Bytes::from_static(kind.as_str().as_bytes()) }
}

/// A project: whether it is there, whether it is public, who its members are.
pub(crate) fn project(name: &ProjectName) -> Key {
    Key { kind: Kind::Project, scope: 0, name: Bytes::copy_from_slice(name.as_str().as_bytes()) }
}

/// The roles that anybody has by way of a group.
pub(crate) fn groups() -> Key {
    Key { kind: Kind::Group, scope: 0, name: Bytes::new() }
}

/// A session.
pub(crate) fn session(id_hash: &[u8; 32]) -> Key {
    Key { kind: Kind::Session, scope: 0, name: Bytes::copy_from_slice(id_hash) }
}

/// What an answer was made of, as it stood when the question was asked.
#[derive(Debug)]
pub(crate) struct Seen(Vec<Stamp>);

impl Seen {
    /// Taken before the question.
    pub(crate) fn before(keys: &[Key], cache: &Arc<dyn Cache>) -> Self {
        Self(keys.iter().map(|key| cache.stamp(key)).collect())
    }

    /// Whether nobody told of a change since.
    pub(crate) fn stands(&self, cache: &Arc<dyn Cache>) -> bool {
        self.0.iter().all(|stamp| cache.stands(*stamp))
    }
}
