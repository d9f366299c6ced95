//! Why storage could not do what it was asked.

use berth_domain::Location;

/// What went wrong, in the terms in which callers act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no bytes at the location. Said only while storage as a whole is there.
    #[error("nothing is stored at {0}")]
    Missing(Location),
    /// The bytes at the location are not as many as they must be, or cannot be read back although storage otherwise answers: one read
    /// that failed is not enough to say so.
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
    /// The process lacks the permission to read something; the source says what, and where it lies.
    #[error("storage may not be read")]
    Denied(#[source] std::io::Error),
    /// The directory, volume or bucket itself does not answer, or is not the one that it was: nothing is known of what it holds.
    #[error("storage does not answer: is its volume mounted?")]
    Away(#[source] std::io::Error),
    /// Anything else that storage says.
    #[error("storage failed")]
    Io(#[source] std::io::Error),
}
