//! Refresh tokens: opaque, for one subject and one audience, revocable, without an end of their own.

use async_trait::async_trait;
use berth_domain::{Timestamp, UserId};

use crate::Result;

/// One refresh token. Robots have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The SHA-256 of its text.
    pub hash: [u8; 32],
    /// Whose it is.
    pub user: UserId,
    /// Which service's tokens it can be turned into.
    pub service: String,
    /// What the client calls itself, for whoever looks at the list.
    pub client_id: String,
    /// When it was issued: what is older than the user's `valid_after` is refused.
    pub issued_at: Timestamp,
    /// When it was last turned into a token, to the day.
    pub last_used_at: Timestamp,
}

/// Looking at refresh tokens.
#[async_trait]
pub trait RefreshTokenReads {
    /// The token of that hash.
    async fn refresh_token(&self, hash: &[u8; 32]) -> Result<Option<RefreshToken>>;
}

/// Changing refresh tokens.
#[async_trait]
pub trait RefreshTokenWrites {
    /// Keeps a token.
    async fn add_refresh_token(&mut self, token: &RefreshToken) -> Result<()>;

    /// Remembers that it was used.
    async fn touch_refresh_token(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<()>;

    /// Revokes one; gone already is fine.
    async fn remove_refresh_token(&mut self, hash: &[u8; 32]) -> Result<()>;

    /// Removes tokens that were last used before `before`, at most `limit`. How many went.
    async fn prune_refresh_tokens(&mut self, before: Timestamp, limit: u32) -> Result<u64>;
}
