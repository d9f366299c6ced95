//! The lease: who holds it may write the session's bytes to storage, and nobody else may.
//!
//! Where several processes share the data it is a row with an epoch, taken in one transaction before the first byte and
//! confirmed while bytes move; a writer that was replaced finds another epoch and stops. Where this process is alone, the
//! registration among its [`super::writers`] is the whole lease, and only a session without a row costs a transaction.

use std::sync::Arc;

use berth_blobs::{Checkpoint, Upload};
use berth_metadata::{UploadSession, retry};
use berth_oci::Hasher;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::row::{Hold, Row, writer};
use super::rules::{Phase, offset, phase};
use super::visit::{Turn, Visit, checkpoint};
use super::writers::Registration;
use crate::apart::joined;
use crate::{Error, Result};

/// The right to write to a session's bytes.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) visit: Visit,
    pub(crate) registration: Arc<Registration>,
    row: Row,
    /// A checkpoint that is being written down while bytes go on coming; what becomes of the row is known when it is done.
    advancing: Option<JoinHandle<(Row, Result<()>)>>,
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
        let row = Row::new(visit.registry.clone(), session, confirmed_at);
        Ok(Lease { visit, registration: Arc::new(registration), row, advancing: None })
    }
}

impl Visit {
    async fn take_lease(&self, seen: Option<&UploadSession>) -> Result<UploadSession> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let mut session = self.row(tx.as_mut(), seen).await?;
        match phase(Some(&session), &self.scene(None)) {
            Phase::Open => {}
            Phase::Lost => session.suspect = true,
            Phase::Busy | Phase::Silent => {
                return Err(Error::UploadBusy { offset: offset(Some(&session)) });
            }
            Phase::Finished(_) | Phase::Gone => return Err(Error::UploadUnknown),
        }
        session.epoch += 1;
        session.writer = Some(writer(&self.registry));
        tx.save_upload(&session).await?;
        tx.commit().await?;
        Ok(session)
    }
}

impl Lease {
    /// The session as its row has it, unless a checkpoint is being written down.
    pub(crate) const fn session(&self) -> &UploadSession {
        self.row.session()
    }

    /// Opens the session's bytes to go on from the last checkpoint.
    pub(crate) async fn open(&self) -> Result<Box<dyn Upload>> {
        match self.visit.registry.ports().blobs.open(&checkpoint(self.session())).await {
            Err(error @ berth_blobs::Error::Missing(_)) => {
                tracing::error!(upload = %self.session().id, %error, "the bytes of an upload are gone");
                Err(Error::UploadUnknown)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Notes that bytes came, and confirms the lease if that is due. Fails if another writer has the session now.
    pub(crate) async fn progress(&mut self) -> Result<()> {
        let now = self.visit.registry.now();
        self.registration.progress(now);
        match &self.advancing {
            // It will confirm the lease too, but a writer that cannot confirm it in time takes no more bytes.
            Some(advancing) if !advancing.is_finished() && !self.row.is_due(now) => return Ok(()),
            _ => self.settle().await?,
        }
        if self.row.is_due(now) { self.row.confirm().await } else { Ok(()) }
    }

    /// Lets a checkpoint be written down as soon as its bytes are durable and hashed, beside whatever is done meanwhile; nothing
    /// else is written to the row before that.
    pub(crate) async fn advance(
        &mut self,
        checkpoint: impl Future<Output = berth_blobs::Result<Checkpoint>> + Send + 'static,
        hasher: impl Future<Output = Hasher> + Send + 'static,
        hold: Hold,
    ) -> Result<()> {
        self.settle().await?;
        let (mut row, registration) = (self.row.clone(), Arc::clone(&self.registration));
        let work = async move {
            let outcome = match tokio::join!(checkpoint, hasher) {
                (Ok(checkpoint), hasher) => row.advance(checkpoint, &hasher, hold).await,
                (Err(error), _) => Err(error.into()),
            };
            // Until here nobody else could have begun to write to the session, whatever became of the lease.
            drop(registration);
            (row, outcome)
        };
        self.advancing = Some(tokio::spawn(work.in_current_span()));
        Ok(())
    }

    /// Waits until no checkpoint is being written down any more. Fails if that failed.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let Some(advancing) = self.advancing.take() else { return Ok(()) };
        let (row, outcome) = joined(advancing).await;
        self.row = row;
        outcome
    }

    /// Goes back to an earlier state of the session and ends the lease; what came since is cut off.
    pub(crate) async fn rewind(mut self, start: &UploadSession) -> Result<()> {
        self.settle_anyhow().await;
        let next = UploadSession {
            durable: start.durable,
            tail: start.tail.clone(),
            storage_state: start.storage_state.clone(),
            hash_state: start.hash_state.clone(),
            ..self.session().clone()
        };
        self.row.write(next, Hold::Kept).await?;
        self.release().await;
        Ok(())
    }

    /// Ends the lease at the last checkpoint; what came since is cut off, unless the session is somebody else's by now.
    pub(crate) async fn release(mut self) {
        self.settle_anyhow().await;
        // A process that is alone needs no row to know that its task is gone.
        let alone = self.visit.registry.settings().alone;
        let mut ours = !self.row.is_lost();
        // What is cut off must not be what the row says.
        if ours && (!alone || self.row.is_in_doubt()) {
            ours = self.confirm().await;
        }
        if ours {
            self.cut().await;
        }
        if ours && !alone {
            self.give_back().await;
        }
    }

    /// Waits for a checkpoint whose outcome changes nothing any more but what the row says.
    async fn settle_anyhow(&mut self) {
        if let Err(error) = self.settle().await {
            tracing::debug!(upload = %self.session().id, %error, "a checkpoint was not written down");
        }
    }

    /// Says in the row that the session is still ours. Whether that was written.
    async fn confirm(&mut self) -> bool {
        let outcome = self.row.confirm().await;
        if let Err(error) = &outcome {
            tracing::warn!(
                upload = %self.session().id, %error,
                "a lease could not be confirmed: bytes behind the last checkpoint are not cut off yet"
            );
        }
        outcome.is_ok()
    }

    /// Says in the row that nobody writes any more.
    async fn give_back(&mut self) {
        if let Err(error) = self.row.give_back().await {
            tracing::warn!(upload = %self.session().id, %error, "a lease could not be given back; it will be taken over");
        }
    }

    /// Gives the room of bytes behind the last checkpoint back, as far as that goes: the disk may be full.
    async fn cut(&self) {
        let blobs = &self.visit.registry.ports().blobs;
        let checkpoint = checkpoint(self.session());
        let outcome = if checkpoint.durable == 0 {
            blobs.discard(&checkpoint).await
        } else {
            blobs.open(&checkpoint).await.map(drop)
        };
        if let Err(error) = outcome {
            tracing::warn!(upload = %self.session().id, %error, "bytes behind a checkpoint could not be cut off");
        }
    }
}
