//! Sessions that expired go, with their bytes.

use berth_metadata::UploadSession;

use super::visit::checkpoint;
use crate::{Registry, Result};
use berth_metadata::retry;

/// How many sessions are looked up at once.
const BATCH: u32 = 100;

/// What came of a round.
#[derive(Debug, Default)]
struct Round {
    gone: u64,
    /// How many could not be removed.
    failed: u64,
}

impl Registry {
    /// Removes sessions that expired, with their bytes, the oldest first. How many went.
    pub async fn expire_uploads(&self) -> Result<u64> {
        let (now, mut after, mut round) = (self.now(), None, Round::default());
        loop {
            let page = self.ports().metadata.expired_uploads(now, after, BATCH).await?;
            let Some(last) = page.last() else { break };
            // Those that stay hold up no others.
            after = Some((last.expires_at, last.id));
            self.expire_all(page, &mut round).await;
        }
        if round.failed > 1 {
            tracing::warn!(
                failed = round.failed,
                "expired uploads could not be removed; the first one was named"
            );
        }
        Ok(round.gone)
    }

    async fn expire_all(&self, expired: Vec<UploadSession>, round: &mut Round) {
        for session in expired {
            match self.expire(&session).await {
                Ok(went) => round.gone += u64::from(went),
                // One that cannot go holds up no other.
                Err(error) => {
                    if round.failed == 0 {
                        tracing::warn!(upload = %session.id, %error, "an expired upload could not be removed");
                    }
                    round.failed += 1;
                }
            }
        }
    }

    /// Whether the session went.
    async fn expire(&self, session: &UploadSession) -> Result<bool> {
        if self.inner.writers.progressed_at(session.id).is_some() {
            return Ok(false);
        }
        // The mark comes first, so that nobody goes on with a session whose bytes are being removed; the row goes last, so
        // that no bytes are forgotten.
        if session.finished.is_none() && !retry!(self.mark_expired(session).await)? {
            return Ok(false);
        }
        // Also of a finished one: a close that stored a copy may have died before the first bytes went.
        self.ports().blobs.discard(&checkpoint(session)).await?;
        if session.finished.is_none() {
            // A close whose row could not be written left them published.
            self.ports().blobs.delete(&session.location).await?;
        }
        retry!(self.forget(session).await)?;
        Ok(true)
    }

    /// Cancels the session, unless something happened to it since it was looked up. Whether it is cancelled.
    async fn mark_expired(&self, session: &UploadSession) -> Result<bool> {
        let mut tx = self.ports().metadata.begin().await?;
        let row = tx.lock_upload(session.id).await?;
        let Some(row) = row.filter(|row| row.epoch == session.epoch && row.expires_at <= self.now()) else {
            return Ok(false);
        };
        if row.cancelled {
            return Ok(true);
        }
        let live = |writer: berth_metadata::Writer| {
            !self.settings().alone
                && writer.process != self.settings().process
                && self.now().since(writer.progressed_at) < self.settings().takeover_after
        };
        if row.writer.is_some_and(live) {
            return Ok(false);
        }
        tx.save_upload(&UploadSession { cancelled: true, writer: None, epoch: row.epoch + 1, ..row }).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn forget(&self, session: &UploadSession) -> Result<()> {
        let mut tx = self.ports().metadata.begin().await?;
        tx.remove_upload(session.id).await?;
        Ok(tx.commit().await?)
    }
}
