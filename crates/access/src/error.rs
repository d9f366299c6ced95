//! Why somebody could not show who they are; the words are for the client, the sources for the log.

use std::time::Duration;

use crate::authority::AuthorityError;
use crate::password::PasswordError;
use crate::token::{IssueError, TokenError};

/// Everything that can go wrong with credentials.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Unknown, wrong, switched off or over: nobody is told which.
    #[error("the username or the password is wrong")]
    Wrong,
    /// Too many wrong ones came before.
    #[error("too many failed attempts: wait {} seconds", whole_seconds(*retry_after))]
    Slow {
        /// For the `Retry-After` header.
        retry_after: Duration,
    },
    /// Too many log-ins are being checked; to be tried again in a second.
    #[error("too many log-ins at once: try again shortly")]
    Busy,
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// They were good, but there is no token for what was asked.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// They were good, but were revoked: the password changed, the account is gone, the session ended.
    #[error("these credentials are no longer valid: log in again")]
    Revoked,
    /// A token cannot be had for a token.
    #[error("show a password, a robot's secret or a refresh token to get a token")]
    Means,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] berth_metadata::Error),
    /// Hashing failed.
    #[error("the password cannot be checked now")]
    Password(#[source] PasswordError),
}

/// A wait in whole seconds, rounded up and at least one: whoever obeys it does not come too early.
#[must_use]
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl From<AuthorityError> for LoginError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Revoked => Self::Revoked,
            AuthorityError::Database(error) => Self::Database(error),
        }
    }
}

impl From<PasswordError> for LoginError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Settings | PasswordError::Failed => Self::Password(error),
        }
    }
}
