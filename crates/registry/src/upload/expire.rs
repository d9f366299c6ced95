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
    /// Removes sessions that expired, with their bytes. How many went.
    pub async fn expire_uploads(&self) -> Result<u64> {
        let mut round = Round::default();
        while self.expire_oldest(&mut round).await? {}
        if round.failed > 1 {
            tracing::warn!(
                failed = round.failed,
                "expired uploads could not be removed; the first one was named"
            );
        }
        Ok(round.gone)
    }

    /// Removes the oldest of them, and all others if some of these stay. Whether there may be more.
    async fn expire_oldest(&self, round: &mut Round) -> Result<bool> {
        let oldest = self.ports().metadata.expired_uploads(self.now(), BATCH).await?;
        let (found, before) = (oldest.len() as u64, round.gone);
        self.expire_all(oldest, round).await;
        if found < u64::from(BATCH) {
            return Ok(false);
        }
        let all_went = round.gone - before == found;
        if !all_went {
            // Those that stay would be found again, and again stand before all others.
            self.expire_by_number(round).await?;
        }
        Ok(all_went)
    }

    /// Goes through all sessions by their number, so that none that stays holds up another.
    async fn expire_by_number(&self, round: &mut Round) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.ports().metadata.uploads(after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            let now = self.now();
            let expired = page.into_iter().filter(|session| session.expires_at < now);
            self.expire_all(expired, round).await;
        }
    }

    async fn expire_all(&self, expired: impl IntoIterator<Item = UploadSession>, round: &mut Round) {
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
