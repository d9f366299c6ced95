//! Refresh tokens.

use async_trait::async_trait;
use berth_domain::{Timestamp, UserId};
use berth_metadata::Result;
use berth_metadata::refresh_token::{RefreshToken, RefreshTokenReads, RefreshTokenWrites};

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;
use crate::value::time;

statements! {
    REFRESH_TOKEN =
        sql!("SELECT user_id, service, client_id, issued_at, last_used_at FROM refresh_tokens WHERE hash = $1");
    ADD_REFRESH_TOKEN = sql!(
        "INSERT INTO refresh_tokens (hash, user_id, service, client_id, issued_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6)"
    );
    /// An earlier moment changes nothing.
    TOUCH_REFRESH_TOKEN =
        sql!("UPDATE refresh_tokens SET last_used_at = $2 WHERE hash = $1 AND last_used_at < $2");
    REMOVE_REFRESH_TOKEN = sql!("DELETE FROM refresh_tokens WHERE hash = $1");
    /// Replicas that prune at once share the work instead of waiting for each other.
    PRUNE_REFRESH_TOKENS = sql!(
        pg: "DELETE FROM refresh_tokens WHERE hash IN (
                 SELECT hash FROM refresh_tokens WHERE last_used_at < $1
                 ORDER BY last_used_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        lite: "DELETE FROM refresh_tokens WHERE hash IN (
                   SELECT hash FROM refresh_tokens WHERE last_used_at < $1 ORDER BY last_used_at LIMIT $2)",
    );
}

type Row = (i64, String, String, i64, i64);

#[async_trait]
impl RefreshTokenReads for SqlMetadata {
    async fn refresh_token(&self, hash: &[u8; 32]) -> Result<Option<RefreshToken>> {
        let row: Option<Row> = optional!(self, REFRESH_TOKEN, hash.as_slice());
        Ok(row.map(|(user, service, client_id, issued_at, last_used_at)| RefreshToken {
            hash: *hash,
            user: UserId(user),
            service,
            client_id,
            issued_at: time(issued_at),
            last_used_at: time(last_used_at),
        }))
    }
}

#[async_trait]
impl RefreshTokenWrites for SqlTransaction {
    async fn add_refresh_token(&mut self, token: &RefreshToken) -> Result<()> {
        execute!(
            self,
            ADD_REFRESH_TOKEN,
            token.hash.as_slice(),
            token.user.0,
            &token.service,
            &token.client_id,
            token.issued_at.as_micros(),
            token.last_used_at.as_micros()
        );
        Ok(())
    }

    async fn touch_refresh_token(&mut self, hash: &[u8; 32], at: Timestamp) -> Result<()> {
        execute!(self, TOUCH_REFRESH_TOKEN, hash.as_slice(), at.as_micros());
        Ok(())
    }

    async fn remove_refresh_token(&mut self, hash: &[u8; 32]) -> Result<()> {
        execute!(self, REMOVE_REFRESH_TOKEN, hash.as_slice());
        Ok(())
    }

    async fn prune_refresh_tokens(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(execute!(self, PRUNE_REFRESH_TOKENS, before.as_micros(), i64::from(limit)))
    }
}
