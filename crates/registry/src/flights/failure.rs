//! An error of the database that is told to each who waited.

use std::error::Error;
use std::sync::Arc;

use berth_metadata::Error as DatabaseError;
use berth_metadata::error::Source;

/// The same error as often as it is told.
#[derive(Clone)]
pub(super) enum Failure {
    Conflict,
    Corrupt(String),
    /// What kind of failure it is, and the driver's words.
    Sourced(fn(Source) -> DatabaseError, Arc<dyn Error + Send + Sync>),
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Conflict => Self::Conflict,
            DatabaseError::Corrupt(what) => Self::Corrupt(what),
            DatabaseError::Unavailable(source) => Self::Sourced(DatabaseError::Unavailable, source.into()),
            DatabaseError::Full(source) => Self::Sourced(DatabaseError::Full, source.into()),
            DatabaseError::ReadOnly(source) => Self::Sourced(DatabaseError::ReadOnly, source.into()),
            DatabaseError::Backend(source) => Self::Sourced(DatabaseError::Backend, source.into()),
        }
    }
}

impl From<Failure> for DatabaseError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict => Self::Conflict,
            Failure::Corrupt(what) => Self::Corrupt(what),
            Failure::Sourced(kind, source) => kind(Box::new(source)),
        }
    }
}
