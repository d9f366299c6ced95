//! A session's row in the hand of who holds its lease: written only as long as the session is still theirs.

use std::time::Duration;

use berth_blobs::Checkpoint;
use berth_domain::Timestamp;
use berth_metadata::{UploadSession, Writer, retry};
use berth_oci::Hasher;

use super::rules::offset;
use crate::{Error, Registry, Result};

/// A writer says at least this often that it is alive, while bytes move.
const CONFIRM_EVERY: Duration = Duration::from_secs(10);

/// What becomes of the lease when the row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It goes on: the row says that its writer is alive.
    Kept,
    /// It ends: the row names no writer, and begins a new epoch.
    Ended,
}

/// The row as it was last written.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    registry: Registry,
    session: UploadSession,
    confirmed_at: Timestamp,
    lost: bool,
    in_doubt: bool,
}

impl Row {
    /// The row of a session whose lease was taken at that time.
    pub(crate) const fn new(registry: Registry, session: UploadSession, confirmed_at: Timestamp) -> Self {
        Self { registry, session, confirmed_at, lost: false, in_doubt: false }
    }

    /// What it says.
    pub(crate) const fn session(&self) -> &UploadSession {
        &self.session
    }

    /// Whether it is time to say again that its writer is alive. A process that is alone tells nobody.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let settings = self.registry.settings();
        let longest = CONFIRM_EVERY.min(settings.takeover_after / 3);
        !settings.alone && now.since(self.confirmed_at) >= longest
    }

    /// Whether another writer has the session, or it is gone: its bytes are not ours to touch any more.
    pub(crate) const fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether it may say something later than this: the last write failed, and it is not known how far it came.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Writes down a checkpoint whose bytes are durable, and the hash of all bytes up to its end.
    pub(crate) async fn advance(
        &mut self,
        checkpoint: Checkpoint,
        hasher: &Hasher,
        hold: Hold,
    ) -> Result<()> {
        let expires_at = self.registry.now().plus(self.registry.settings().upload_expiry);
        let next = UploadSession {
            location: checkpoint.location,
            durable: checkpoint.durable,
            tail: checkpoint.tail,
            storage_state: checkpoint.state,
            hash_state: hasher.save(),
            expires_at,
            ..self.session.clone()
        };
        self.write(next, hold).await
    }

    /// Says that the writer is alive.
    pub(crate) async fn confirm(&mut self) -> Result<()> {
        self.write(self.session.clone(), Hold::Kept).await
    }

    /// Says that nobody writes any more.
    pub(crate) async fn give_back(&mut self) -> Result<()> {
        self.write(self.session.clone(), Hold::Ended).await
    }

    /// Writes `next`, if the session is still ours.
    pub(crate) async fn write(&mut self, mut next: UploadSession, hold: Hold) -> Result<()> {
        let writer = writer(&self.registry);
        let confirmed_at = writer.progressed_at;
        (next.writer, next.epoch) = match hold {
            Hold::Kept => (Some(writer), self.session.epoch),
            Hold::Ended => (None, self.session.epoch + 1),
        };
        let written = retry!(self.try_write(&next).await);
        self.lost |= matches!(written, Err(Error::UploadUnknown | Error::UploadBusy { .. }));
        self.in_doubt = written.is_err();
        written?;
        // What the row says, not when the database had written it: others count from there.
        self.confirmed_at = confirmed_at;
        self.session = next;
        Ok(())
    }

    async fn try_write(&self, next: &UploadSession) -> Result<()> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        still_ours(tx.lock_upload(next.id).await?.as_ref(), &self.session)?;
        tx.save_upload(next).await?;
        Ok(tx.commit().await?)
    }
}

/// What a row says of a writer of this process.
pub(crate) fn writer(registry: &Registry) -> Writer {
    Writer { process: registry.settings().process, progressed_at: registry.now() }
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

/// The same for who goes on from what was `seen` without being its writer: the one who was may have made another checkpoint, and
/// what came behind the last one would be taken for what comes behind this one.
pub(crate) fn unmoved(row: Option<UploadSession>, seen: &UploadSession) -> Result<UploadSession> {
    still_ours(row.as_ref(), seen)?;
    let row = row.ok_or(Error::UploadUnknown)?;
    if (row.durable, &row.tail) == (seen.durable, &seen.tail) {
        Ok(row)
    } else {
        Err(Error::UploadBusy { offset: offset(Some(&row)) })
    }
}
