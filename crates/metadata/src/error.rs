//! Why the database could not do what it was asked.

/// What went wrong, in the terms in which callers act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another transaction was faster; nothing of this one happened, and the whole use case may be tried again.
    #[error("another change came first")]
    Conflict,
    /// The database does not answer now.
    #[error("the database does not answer")]
    Unavailable(#[source] Source),
    /// The database has no room left.
    #[error("the database's disk is full")]
    Full(#[source] Source),
    /// The database refuses writes: a standby, a read-only file system, a missing permission.
    #[error("the database cannot be written to")]
    ReadOnly(#[source] Source),
    /// A row says what it cannot say.
    #[error("the database holds a damaged row: {0}")]
    Corrupt(String),
    /// Anything else that the database says.
    #[error("the database failed")]
    Backend(#[source] Source),
}

/// The driver's own words.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
