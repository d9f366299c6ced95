//! Cancelling an upload.

use std::time::Duration;

use berth_domain::{Action, Resource};
use berth_metadata::UploadSession;
use berth_oci::RepositoryName;
use bytes::Bytes;

use super::UploadTicket;
use super::visit::{Visit, checkpoint};
use crate::guarded::Guarded;
use crate::unbroken::unbroken;
use crate::{Error, Result};
use berth_metadata::retry;

/// How long a writer of this process gets to notice that its session is gone.
const PATIENCE: Duration = Duration::from_secs(5);

impl Guarded<'_> {
    /// Cancels a session; its bytes go. Whoever writes to it finds out at the next checkpoint.
    pub async fn cancel_upload(&self, repository: &RepositoryName, ticket: &UploadTicket) -> Result<()> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let visit = Visit::new(self, repository, ticket)?;
        unbroken(visit.cancel()).await
    }
}

impl Visit {
    /// Cancels a session whose ticket no client has, if it came to have a row.
    pub(crate) async fn forget(self) {
        let id = self.ticket.id;
        let forgotten = match self.registry.ports().metadata.upload(id).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => self.cancel().await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = forgotten {
            tracing::warn!(upload = %id, %error, "the bytes of a failed upload stay until they expire");
        }
    }

    async fn cancel(self) -> Result<()> {
        let before = retry!(self.try_cancel().await)?;
        self.registry.inner.writers.stop(self.ticket.id, PATIENCE).await;
        let blobs = &self.registry.ports().blobs;
        // A close whose row could not be written left its bytes published.
        let gone = match blobs.discard(&checkpoint(&before)).await {
            Ok(()) => blobs.delete(&before.location).await,
            failed => failed,
        };
        if let Err(error) = gone {
            // Expiry tries again.
            tracing::warn!(upload = %before.id, %error, "the bytes of a cancelled upload could not be removed");
        }
        Ok(())
    }

    /// Marks the session, so that its ticket cannot come back; the row of one that has none is made for that.
    async fn try_cancel(&self) -> Result<UploadSession> {
        let (now, ticket_expires_at) = (self.registry.now(), self.scene(None).ticket_expires_at);
        let mut tx = self.registry.ports().metadata.begin().await?;
        let before = match tx.lock_upload(self.ticket.id).await? {
            Some(row) if row.finished.is_some() || row.cancelled || row.expires_at <= now => {
                return Err(Error::UploadUnknown);
            }
            Some(row) => row,
            None if ticket_expires_at <= now => return Err(Error::UploadUnknown),
            None => self.blank_row(tx.hold_repository(&self.repository).await?.as_ref()),
        };
        let cancelled = UploadSession {
            tail: Bytes::new(),
            hash_state: Vec::new(),
            writer: None,
            epoch: before.epoch + 1,
            cancelled: true,
            expires_at: now.plus(self.registry.settings().upload_expiry),
            ..before.clone()
        };
        tx.save_upload(&cancelled).await?;
        tx.commit().await?;
        Ok(before)
    }
}
