//! The one place where failures become statuses and codes.
//!
//! Harbor's conventions: who is nobody is 401, who may not is 403, and only who would see a thing is told that it is not there. What is
//! the server's fault is masked; where the remedy is to wait, the words and a `Retry-After` say so.

use berth_access::token::IssueError;
use berth_access::{Denied, LoginError, Reason, whole_seconds};
use berth_http::rest::Code;
use berth_management::DatabaseError;

use super::Error;

/// What an error is to a client.
pub(super) struct Verdict {
    pub(super) code: Code,
    /// Instead of the error's own words.
    pub(super) words: Option<&'static str>,
    /// Seconds.
    pub(super) retry_after: Option<u64>,
}

impl Verdict {
    fn new(code: Code) -> Self {
        Self { code, words: None, retry_after: None }
    }

    fn says(mut self, words: &'static str) -> Self {
        self.words = Some(words);
        self
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl Error {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Management(error) => management(error),
            Self::LogIn(error) => log_in(error),
            Self::Refused(refusal) => Verdict::new(refusal.code),
            Self::Method { .. } => Verdict::new(Code::MethodNotAllowed),
        }
    }
}

fn management(error: &berth_management::Error) -> Verdict {
    use berth_management::Error as E;
    match error {
        E::Denied(denied) => denied_because(denied),
        E::Forbidden(_) => Verdict::new(Code::Forbidden),
        E::Exceeds => Verdict::new(Code::Denied),
        E::NotFound { .. } => Verdict::new(Code::NotFound),
        E::Exists { .. } => Verdict::new(Code::Conflict),
        E::Invalid(_) => Verdict::new(Code::BadRequest),
        E::Precondition(_) => Verdict::new(Code::Precondition),
        E::Often { retry_after } => {
            Verdict::new(Code::TooManyRequests).retry_after(whole_seconds(*retry_after))
        }
        E::LogIn(error) => log_in(error),
        E::Database(error) => database(error),
    }
}

fn denied_because(denied: &Denied) -> Verdict {
    match denied.reason {
        Reason::Anonymous | Reason::Revoked => Verdict::new(Code::Unauthorized),
        Reason::Missing => Verdict::new(Code::Forbidden),
        // No scope that one could ask for says anything here.
        Reason::Scope => Verdict::new(Code::Forbidden)
            .says("a registry token is for what pulls and pushes: show a name and a secret instead"),
        Reason::Unavailable => Verdict::new(Code::Unavailable).retry_after(5),
    }
}

fn log_in(error: &LoginError) -> Verdict {
    match error {
        LoginError::Wrong | LoginError::Token(_) | LoginError::Revoked | LoginError::Means => {
            Verdict::new(Code::Unauthorized)
        }
        LoginError::Slow { retry_after } => {
            Verdict::new(Code::TooManyRequests).retry_after(whole_seconds(*retry_after))
        }
        LoginError::Issue(IssueError::Long(_)) => Verdict::new(Code::BadRequest),
        LoginError::Issue(IssueError::NoKey) => Verdict::new(Code::Unavailable).retry_after(5),
        LoginError::Busy => Verdict::new(Code::Unavailable).retry_after(1),
        LoginError::Database(error) => database(error),
        LoginError::Password(_) => Verdict::new(Code::Inside),
    }
}

fn database(error: &DatabaseError) -> Verdict {
    match error {
        DatabaseError::Conflict => {
            Verdict::new(Code::Unavailable).retry_after(1).says("another change came first: try again")
        }
        DatabaseError::Unavailable(_) => {
            Verdict::new(Code::Unavailable).retry_after(5).says("the database does not answer: try again")
        }
        DatabaseError::Full(_) => Verdict::new(Code::Full)
            .says("the database's disk is full: its operator must make room; nothing was lost"),
        DatabaseError::ReadOnly(_) => Verdict::new(Code::Unavailable)
            .retry_after(60)
            .says("the database cannot be written to: its operator must make it writable again"),
        DatabaseError::Corrupt(_) | DatabaseError::Backend(_) => Verdict::new(Code::Inside),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use berth_domain::{Action, Resource};

    use super::*;

    fn told(error: impl Into<Error>) -> (Code, Option<u64>) {
        let verdict = error.into().verdict();
        (verdict.code, verdict.retry_after)
    }

    fn denied(reason: Reason) -> (Code, Option<u64>) {
        let (resource, action) = (Resource::Project, Action::Read);
        told(berth_management::Error::from(Denied {
            resource,
            action,
            repository: None,
            anonymous: false,
            reason,
        }))
    }

    #[test]
    fn who_may_not_is_told_by_why() {
        assert_eq!(denied(Reason::Anonymous), (Code::Unauthorized, None));
        assert_eq!(denied(Reason::Revoked), (Code::Unauthorized, None));
        assert_eq!(denied(Reason::Missing), (Code::Forbidden, None));
        assert_eq!(denied(Reason::Scope), (Code::Forbidden, None));
        assert_eq!(denied(Reason::Unavailable), (Code::Unavailable, Some(5)));
    }

    #[test]
    fn waiting_is_said_in_whole_seconds() {
        let slow = |millis| told(LoginError::Slow { retry_after: Duration::from_millis(millis) });
        assert_eq!(slow(10), (Code::TooManyRequests, Some(1)));
        assert_eq!(slow(1500), (Code::TooManyRequests, Some(2)));
        assert_eq!(slow(60_000), (Code::TooManyRequests, Some(60)));
        assert_eq!(told(LoginError::Busy), (Code::Unavailable, Some(1)));
    }

    #[test]
    fn the_servers_faults_are_masked_or_say_when_to_come_back() {
        let failed = |error: DatabaseError| told(berth_management::Error::from(error));
        assert_eq!(failed(DatabaseError::Conflict), (Code::Unavailable, Some(1)));
        assert_eq!(failed(DatabaseError::Unavailable("gone".into())), (Code::Unavailable, Some(5)));
        assert_eq!(failed(DatabaseError::ReadOnly("standby".into())), (Code::Unavailable, Some(60)));
        assert_eq!(failed(DatabaseError::Full("disk".into())), (Code::Full, None));
        assert_eq!(failed(DatabaseError::Corrupt("row 7".into())), (Code::Inside, None));
        assert_eq!(failed(DatabaseError::Backend("syntax".into())), (Code::Inside, None));
    }
}
