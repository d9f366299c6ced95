//! Why a use case did not happen; the words are for the client, the sources for the log.

use berth_metadata::attempts::MayConflict;
use std::fmt;
use std::time::Duration;

use berth_access::authority::AuthorityError;
use berth_access::password::PasswordError;
use berth_access::{Denied, LoginError, whole_seconds};
use berth_domain::group::GroupError;
use berth_domain::project_metadata::ProjectMetadataError;
use berth_domain::robot::RobotError;
use berth_domain::user::UserError;

/// Everything that can go wrong. Doors turn each variant into their protocol's answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Nobody may do this, or not in this way: a rule of the house stands against it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A robot asked for a robot that may do more than itself.
    #[error("the permissions must be equal to or fewer than those of the robot that asks for them")]
    Exceeds,
    /// There is no such thing; only said to callers who may know that.
    #[error("{what} {name} is not found")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// What it was called, cut short.
        name: String,
    },
    /// Another one has the name.
    #[error("{what} {name} already exists")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// What it was called.
        name: String,
    },
    /// What was asked for cannot be kept; the words say which field and what it takes.
    #[error("{0}")]
    Invalid(String),
    /// What was asked for needs something first.
    #[error("{0}")]
    Precondition(&'static str),
    /// The caller's address did this too often; not before this has passed.
    #[error("this was done too often from your address: wait {} seconds", whole_seconds(*retry_after))]
    Often {
        /// For the `Retry-After` header.
        retry_after: Duration,
    },
    /// The caller's own secret could not be checked or hashed.
    #[error(transparent)]
    LogIn(#[from] LoginError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] berth_metadata::Error),
}

impl MayConflict for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_conflict())
    }
}

impl Error {
    pub(crate) fn not_found(what: &'static str, name: &dyn fmt::Display) -> Self {
        Self::NotFound { what, name: cut(&name.to_string()) }
    }

    pub(crate) fn exists(what: &'static str, name: &dyn fmt::Display) -> Self {
        Self::Exists { what, name: cut(&name.to_string()) }
    }

    pub(crate) fn invalid(words: impl Into<String>) -> Self {
        Self::Invalid(words.into())
    }
}

/// As much of a strange text as an answer can bear.
pub(crate) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

impl From<UserError> for Error {
    fn from(error: UserError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<GroupError> for Error {
    fn from(error: GroupError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<RobotError> for Error {
    fn from(error: RobotError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<ProjectMetadataError> for Error {
    fn from(error: ProjectMetadataError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        Self::LogIn(error.into())
    }
}

impl From<AuthorityError> for Error {
    fn from(error: AuthorityError) -> Self {
        Self::LogIn(error.into())
    }
}
