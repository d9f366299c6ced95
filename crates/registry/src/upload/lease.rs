//! The lease: who holds it may write the session's bytes to storage, and nobody else may.
//!
//! Where several processes share the data it is a row with an epoch, taken in one transaction before the first byte and
//! confirmed while bytes move; a writer that was replaced finds another epoch and stops. Where this process is alone, the
//! registration among its [`super::writers`] is the whole lease, and only a session without a row costs a transaction.

use std::time::Duration;

use berth_blobs::{Checkpoint, Upload};
use berth_domain::Timestamp;
use berth_metadata::{UploadSession, Writer};
use berth_oci::Hasher;

use super::session::{Standing, offset, standing};
use super::visit::{Turn, Visit, checkpoint, readable};
use super::writers::Registration;
use crate::{Error, Result};
use berth_metadata::retry;

/// A writer confirms its lease at least this often while bytes move.
const CONFIRM_EVERY: Duration = Duration::from_secs(10);

/// The right to write to a session's bytes.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) visit: Visit,
    pub(crate) registration: Registration,
    session: UploadSession,
    confirmed_at: Timestamp,
    /// Another writer has the session, or it is gone: its bytes are not ours to touch any more.
    lost: bool,
}

impl Turn {
    /// Takes the lease; the session has a row from now on.
    pub(crate) async fn lease(self) -> Result<Lease> {
        let Self { visit, session, registration } = self;
        let confirmed_at = visit.registry.now();
        let session = match session {
            Some(session) if visit.registry.settings().alone => session,
            session => retry!(visit.take_lease(session.as_ref()).await)?,
        };
        Ok(Lease { visit, registration, session, confirmed_at, lost: false })
    }
}

impl Visit {
    async fn take_lease(&self, seen: Option<&UploadSession>) -> Result<UploadSession> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let (row, held) = self.lock(tx.as_mut(), seen).await?;
        let mut session = match (row, seen) {
            (None, None) => self.begin(tx.as_mut(), held).await?,
            (Some(row), Some(seen)) if row.epoch == seen.epoch => readable(row),
            (Some(row), _) => return Err(Error::UploadBusy { offset: offset(Some(&row)) }),
            (None, Some(_)) => return Err(Error::UploadUnknown),
        };
        match standing(Some(&session), &self.scene(None)) {
            Standing::Open => {}
            Standing::Lost => session.suspect = true,
            Standing::Busy | Standing::Silent => {
                return Err(Error::UploadBusy { offset: offset(Some(&session)) });
            }
            Standing::Finished(_) | Standing::Gone => return Err(Error::UploadUnknown),
        }
        session.epoch += 1;
        session.writer = Some(self.writer());
        tx.save_upload(&session).await?;
        tx.commit().await?;
        Ok(session)
    }

    fn writer(&self) -> Writer {
        Writer { process: self.registry.settings().process, progressed_at: self.registry.now() }
    }
}

impl Lease {
    /// The session as its row has it.
    pub(crate) fn session(&self) -> &UploadSession {
        &self.session
    }

    /// Opens the session's bytes to go on from the last checkpoint.
    pub(crate) async fn open(&self) -> Result<Box<dyn Upload>> {
        match self.visit.registry.ports().blobs.open(&checkpoint(&self.session)).await {
            Err(error @ berth_blobs::Error::Missing(_)) => {
                tracing::error!(upload = %self.session.id, %error, "the bytes of an upload are gone");
                Err(Error::UploadUnknown)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Notes that bytes came, and confirms the lease if that is due. Fails if another writer has the session now.
    pub(crate) async fn progress(&mut self) -> Result<()> {
        let now = self.visit.registry.now();
        self.registration.progress(now);
        let settings = self.visit.registry.settings();
        let due = CONFIRM_EVERY.min(settings.takeover_after / 3);
        if settings.alone || now.since(self.confirmed_at) < due {
            return Ok(());
        }
        self.write(self.session.clone(), true).await
    }

    /// Writes down a checkpoint whose bytes are durable, and the hash of all bytes up to its end.
    pub(crate) async fn advance(
        &mut self,
        checkpoint: Checkpoint,
        hasher: &Hasher,
        keep: bool,
    ) -> Result<()> {
        let session = &self.session;
        let expires_at = self.visit.registry.now().plus(self.visit.registry.settings().upload_expiry);
        let next = UploadSession {
            location: checkpoint.location,
            durable: checkpoint.durable,
            tail: checkpoint.tail,
            storage_state: checkpoint.state,
            hash_state: hasher.save(),
            expires_at,
            ..session.clone()
        };
        self.write(next, keep).await
    }

    /// Goes back to an earlier state of the session and ends the lease; what came since is cut off.
    pub(crate) async fn rewind(mut self, start: &UploadSession) -> Result<()> {
        let next = UploadSession {
            durable: start.durable,
            tail: start.tail.clone(),
            storage_state: start.storage_state.clone(),
            hash_state: start.hash_state.clone(),
            ..self.session.clone()
        };
        self.write(next, true).await?;
        self.release().await;
        Ok(())
    }

    /// Ends the lease at the last checkpoint; what came since is cut off, unless the session is somebody else's by now.
    pub(crate) async fn release(mut self) {
        // A process that is alone needs no row to know that its task is gone.
        let alone = self.visit.registry.settings().alone;
        if !alone && !self.lost {
            self.give_back(true).await;
        }
        if !self.lost {
            self.cut().await;
        }
        if !alone && !self.lost {
            self.give_back(false).await;
        }
    }

    async fn give_back(&mut self, keep: bool) {
        if let Err(error) = self.write(self.session.clone(), keep).await {
            self.lost = true;
            tracing::warn!(upload = %self.session.id, %error, "a lease could not be given back; it will be taken over");
        }
    }

    /// Gives the room of bytes behind the last checkpoint back, as far as that goes: the disk may be full.
    async fn cut(&self) {
        let blobs = &self.visit.registry.ports().blobs;
        let checkpoint = checkpoint(&self.session);
        let outcome = if checkpoint.durable == 0 {
            blobs.discard(&checkpoint).await
        } else {
            blobs.open(&checkpoint).await.map(drop)
        };
        if let Err(error) = outcome {
            tracing::warn!(upload = %self.session.id, %error, "bytes behind a checkpoint could not be cut off");
        }
    }

    /// Writes the row, if the session is still ours; every end of a lease is a new epoch.
    async fn write(&mut self, mut next: UploadSession, keep: bool) -> Result<()> {
        let writer = self.visit.writer();
        let confirmed_at = writer.progressed_at;
        next.writer = keep.then_some(writer);
        next.epoch = self.session.epoch + i64::from(!keep);
        let written = retry!(self.try_write(&next).await);
        self.lost |= matches!(written, Err(Error::UploadUnknown | Error::UploadBusy { .. }));
        written?;
        // What the row says, not when the database had written it: others count from there.
        self.confirmed_at = confirmed_at;
        self.session = next;
        Ok(())
    }

    async fn try_write(&self, next: &UploadSession) -> Result<()> {
        let mut tx = self.visit.registry.ports().metadata.begin().await?;
        still_ours(tx.lock_upload(next.id).await?.as_ref(), &self.session)?;
        tx.save_upload(next).await?;
        Ok(tx.commit().await?)
    }
}

/// Refuses a row that somebody else has changed since it was `seen`.
pub(crate) fn still_ours(row: Option<&UploadSession>, seen: &UploadSession) -> Result<()> {
    match row {
        None => Err(Error::UploadUnknown),
        Some(row) if row.cancelled => Err(Error::UploadUnknown),
        Some(row) if row.epoch != seen.epoch || row.finished.is_some() => {
            Err(Error::UploadBusy { offset: offset(Some(row)) })
        }
        Some(_) => Ok(()),
    }
}
