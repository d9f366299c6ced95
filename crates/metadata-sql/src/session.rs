//! Sessions of browsers.

use async_trait::async_trait;
use berth_domain::{Timestamp, UserId};
use berth_metadata::Result;
use berth_metadata::session::{Session, SessionReads, SessionWrites};

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;
use crate::value::time;

statements! {
    SESSION = sql!("SELECT user_id, created_at, expires_at FROM sessions WHERE id_hash = $1");
    ADD_SESSION =
        sql!("INSERT INTO sessions (id_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)");
    EXTEND_SESSION = sql!(
        "UPDATE sessions SET expires_at = CASE WHEN expires_at < $2 THEN $2 ELSE expires_at END WHERE id_hash = $1"
    );
    REMOVE_SESSION = sql!("DELETE FROM sessions WHERE id_hash = $1");
    /// Replicas that prune at once share the work instead of waiting for each other.
    PRUNE_SESSIONS = sql!(
        pg: "DELETE FROM sessions WHERE id_hash IN (
                 SELECT id_hash FROM sessions WHERE expires_at < $1
                 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        lite: "DELETE FROM sessions WHERE id_hash IN (
                   SELECT id_hash FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    );
}

#[async_trait]
impl SessionReads for SqlMetadata {
    async fn session(&self, id_hash: &[u8; 32]) -> Result<Option<Session>> {
        let row: Option<(i64, i64, i64)> = optional!(self, SESSION, id_hash.as_slice());
        Ok(row.map(|(user, created_at, expires_at)| Session {
            id_hash: *id_hash,
            user: UserId(user),
            created_at: time(created_at),
            expires_at: time(expires_at),
        }))
    }
}

#[async_trait]
impl SessionWrites for SqlTransaction {
    async fn add_session(&mut self, session: &Session) -> Result<()> {
        let (created, expires) = (session.created_at.as_micros(), session.expires_at.as_micros());
        execute!(self, ADD_SESSION, session.id_hash.as_slice(), session.user.0, created, expires);
        Ok(())
    }

    async fn extend_session(&mut self, id_hash: &[u8; 32], expires_at: Timestamp) -> Result<bool> {
        Ok(execute!(self, EXTEND_SESSION, id_hash.as_slice(), expires_at.as_micros()) > 0)
    }

    async fn remove_session(&mut self, id_hash: &[u8; 32]) -> Result<()> {
        execute!(self, REMOVE_SESSION, id_hash.as_slice());
        Ok(())
    }

    async fn prune_sessions(&mut self, now: Timestamp, limit: u32) -> Result<u64> {
        Ok(execute!(self, PRUNE_SESSIONS, now.as_micros(), i64::from(limit)))
    }
}
