//! Sessions of browsers: kept on the server, found by the hash of the cookie, gone when they are ended.

use async_trait::async_trait;
use berth_domain::{Timestamp, UserId};

use crate::Result;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The SHA-256 of the cookie's value.
    pub id_hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// When it was begun: what is older than the user's `valid_after` is refused.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Looking at sessions.
#[async_trait]
pub trait SessionReads {
    /// The session, also if it has expired.
    async fn session(&self, id_hash: &[u8; 32]) -> Result<Option<Session>>;
}

/// Changing sessions.
#[async_trait]
pub trait SessionWrites {
    /// Begins a session.
    async fn add_session(&mut self, session: &Session) -> Result<()>;

    /// Lets a session end later. Whether it was there.
    async fn extend_session(&mut self, id_hash: &[u8; 32], expires_at: Timestamp) -> Result<bool>;

    /// Ends a session; gone already is fine.
    async fn remove_session(&mut self, id_hash: &[u8; 32]) -> Result<()>;

    /// Removes sessions that expired before `now`, at most `limit`. How many went.
    async fn prune_sessions(&mut self, now: Timestamp, limit: u32) -> Result<u64>;
}
