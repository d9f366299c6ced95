//! Why storage could not do what it was asked.

use berth_domain::Location;

/// What went wrong, in the terms in which callers act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no bytes at the location.
    #[error("nothing is stored at {0}")]
    Missing(Location),
    /// The bytes at the location are not as many as they must be, or cannot be read back.
    #[error("what is stored at {0} is damaged: {1}")]
    Corrupt(Location, String),
    /// The disk, volume or bucket has no room left, or its quota is used up.
    #[error("storage is full")]
    Full(#[source] std::io::Error),
    /// Storage refuses writes: mounted read-only, or the process lacks the permission.
    #[error("storage cannot be written to")]
    ReadOnly(#[source] std::io::Error),
    /// The process has no file descriptors or memory left; it passes.
    #[error("storage is busy: out of file descriptors or memory")]
    Exhausted(#[source] std::io::Error),
    /// The directory, volume or bucket itself is not there, or is not the one that it was: nothing is known of what it holds.
    #[error("storage is not there: is its volume mounted?")]
    Away,
    /// Anything else that storage says.
    #[error("storage failed")]
    Io(#[source] std::io::Error),
}
