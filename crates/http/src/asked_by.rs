//! Who asked, for the access log.

use berth_domain::Actor;

/// Put into an answer's extensions by the door that gave it, once it knows who asked: a name that was proven, never one that somebody
/// only typed. An answer without it was given to nobody known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedBy(pub Actor);
