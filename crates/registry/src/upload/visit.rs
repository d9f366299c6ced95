//! One request's dealings with one session: it looks, and it may get its turn to write.

use std::time::Duration;

use berth_access::Caller;
use berth_blobs::Checkpoint;
use berth_domain::{Action, Repository, RepositoryId, Resource, Timestamp};
use berth_metadata::{Transaction, UploadSession};
use berth_oci::{Digest, Hasher, RepositoryName};
use bytes::Bytes;

use super::UploadTicket;
use super::row::unmoved;
use super::rules::{Phase, Scene, offset, phase};
use super::ticket::Claims;
use super::writers::Registration;
use crate::destination::Destination;
use crate::guarded::Guarded;
use crate::{Error, Registry, Result};

/// How long a silent writer of this process gets for its checkpoint before the newcomer is told to wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// The repository of a session that began before there was one.
const NOWHERE: RepositoryId = RepositoryId(0);

/// Who comes, with which ticket, and what it says. Owned, because its work outlives the request.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) registry: Registry,
    pub(crate) caller: Caller,
    pub(crate) repository: RepositoryName,
    pub(crate) ticket: UploadTicket,
    pub(crate) claims: Claims,
}

/// A visit whose turn it is: no other task of this process writes to the session.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) visit: Visit,
    /// The session as it stood when the turn began; `None` if it has no row.
    pub(crate) session: Option<UploadSession>,
    pub(crate) registration: Registration,
}

/// What a visit finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// It may write.
    Open(Box<Turn>),
    /// It comes too late, because all is done.
    Finished(Digest),
}

impl Visit {
    /// A visit with a ticket; refused unless it was issued for this repository and caller.
    pub(crate) fn new(
        guarded: &Guarded<'_>,
        repository: &RepositoryName,
        ticket: &UploadTicket,
    ) -> Result<Self> {
        let Guarded { registry, caller } = guarded;
        let claims = registry.inner.signer.verify(ticket, repository, &caller.actor);
        let claims = claims.ok_or(Error::UploadUnknown)?;
        Ok(Self {
            registry: Registry::clone(registry),
            caller: Caller::clone(caller),
            repository: repository.clone(),
            ticket: ticket.clone(),
            claims,
        })
    }

    /// Lets what came pass if the caller may still push: a body may take days, and what was allowed when it began may be over. The
    /// project that it was to make is there then.
    pub(crate) async fn admit_and_make_project(&self) -> Result<()> {
        let guarded = Guarded::new(&self.registry, &self.caller);
        guarded.check(&self.repository, Resource::Repository, Action::Push).await?;
        match self.claims.destination {
            Destination::There => Ok(()),
            Destination::ToBeMade => guarded.make_project(&self.repository).await,
        }
    }

    /// The session and its phase.
    pub(crate) async fn look(&self) -> Result<(Option<UploadSession>, Phase)> {
        self.look_beside(self.registry.inner.writers.progressed_at(self.ticket.id)).await
    }

    async fn look_beside(&self, ours: Option<Timestamp>) -> Result<(Option<UploadSession>, Phase)> {
        let session = self.registry.ports().metadata.upload(self.ticket.id).await?.map(readable);
        let phase = phase(session.as_ref(), &self.scene(ours));
        Ok((session, phase))
    }

    /// The turn to write, if the session may be written to; a writer of this process that fell silent is stopped first.
    pub(crate) async fn approach(self) -> Result<Found> {
        let writers = &self.registry.inner.writers;
        let mut registration = writers.enter(self.ticket.id, self.registry.now());
        if registration.is_none() {
            let (session, phase) = self.look().await?;
            if phase == Phase::Silent {
                writers.stop(self.ticket.id, PATIENCE).await;
            }
            registration = writers.enter(self.ticket.id, self.registry.now());
            if registration.is_none() {
                return Err(Error::UploadBusy { offset: offset(session.as_ref()) });
            }
        }
        let (mut session, phase) = self.look_beside(None).await?;
        if let (Some(session), Phase::Lost) = (&mut session, phase) {
            session.suspect = true;
        }
        match (phase, registration) {
            (Phase::Open | Phase::Lost, Some(registration)) => {
                Ok(Found::Open(Box::new(Turn { visit: self, session, registration })))
            }
            (Phase::Finished(digest), _) => Ok(Found::Finished(digest)),
            (Phase::Gone, _) => Err(Error::UploadUnknown),
            _ => Err(Error::UploadBusy { offset: offset(session.as_ref()) }),
        }
    }

    /// What the rules of a session know beside it.
    pub(crate) fn scene(&self, ours: Option<Timestamp>) -> Scene {
        let settings = self.registry.settings();
        Scene {
            now: self.registry.now(),
            process: settings.process,
            alone: settings.alone,
            takeover_after: settings.takeover_after,
            ours,
            ticket_expires_at: self.claims.issued_at.plus(settings.upload_expiry),
        }
    }

    /// The session's row, locked and as it was `seen`; its first one, not written yet, if there was none.
    pub(crate) async fn row(
        &self,
        tx: &mut dyn Transaction,
        seen: Option<&UploadSession>,
    ) -> Result<UploadSession> {
        let (row, held) = self.lock(tx, seen).await?;
        match (row, seen) {
            (None, None) => self.first_row(tx, held).await,
            (Some(row), None) => Err(Error::UploadBusy { offset: offset(Some(&row)) }),
            (row, Some(seen)) => Ok(readable(unmoved(row, seen)?)),
        }
    }

    /// The session's row, locked, and the repository into which it is made if it was `seen` to be missing.
    async fn lock(
        &self,
        tx: &mut dyn Transaction,
        seen: Option<&UploadSession>,
    ) -> Result<(Option<UploadSession>, Option<Repository>)> {
        Ok(match seen {
            Some(seen) => (tx.lock_upload(seen.id).await?, None),
            None => tx.lock_upload_into(self.ticket.id, &self.repository).await?,
        })
    }

    /// The session's first row, which the caller writes; into the repository if that is there. No repository is made for it, because what
    /// comes may turn out to be refused. Refused at once where there was a project and is none any more.
    async fn first_row(
        &self,
        tx: &mut dyn Transaction,
        repository: Option<Repository>,
    ) -> Result<UploadSession> {
        let project = self.repository.project();
        let expected = repository.is_none() && self.claims.destination == Destination::There;
        if expected && tx.find_project(&project).await?.is_none() {
            return Err(Error::ProjectUnknown(project));
        }
        Ok(self.blank_row(repository.as_ref()))
    }

    /// A row of the session before its first byte, whether or not its project is there.
    pub(crate) fn blank_row(&self, repository: Option<&Repository>) -> UploadSession {
        let checkpoint = self.registry.ports().blobs.start();
        let now = self.registry.now();
        UploadSession {
            id: self.ticket.id,
            repository: repository.map_or(NOWHERE, |repository| repository.id),
            owner: self.caller.actor.clone(),
            algorithm: self.claims.algorithm,
            location: checkpoint.location,
            durable: 0,
            tail: Bytes::new(),
            storage_state: checkpoint.state,
            hash_state: Hasher::new(self.claims.algorithm).save(),
            writer: None,
            epoch: 0,
            suspect: false,
            finished: None,
            cancelled: false,
            started_at: now,
            expires_at: now.plus(self.registry.settings().upload_expiry),
        }
    }
}

impl Turn {
    /// How many bytes the session has.
    pub(crate) fn offset(&self) -> u64 {
        offset(self.session.as_ref())
    }

    /// How many of the session's bytes are in storage.
    pub(crate) fn durable(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.durable)
    }

    /// Those of the session's bytes that are in its row.
    pub(crate) fn tail(&self) -> Bytes {
        self.session.as_ref().map(|session| session.tail.clone()).unwrap_or_default()
    }

    /// Removes what a writer that ended before its first checkpoint may have left: no row counts it.
    pub(crate) async fn clear_remains(&self) {
        if let Some(session) = &self.session
            && session.writer.is_some()
            && session.durable == 0
            && let Err(error) = self.visit.registry.ports().blobs.discard(&checkpoint(session)).await
        {
            tracing::warn!(upload = %session.id, %error, "the remains of an upload could not be removed");
        }
    }

    /// The running hash of all bytes that the session has.
    pub(crate) fn hasher(&self) -> Result<Hasher> {
        match &self.session {
            None => Ok(Hasher::new(self.visit.claims.algorithm)),
            Some(session) => hasher(session),
        }
    }
}

/// The session's row; a hash state from a release that wrote it in another form is as good as none, so the content is hashed
/// again at the end.
fn readable(mut session: UploadSession) -> UploadSession {
    if session.finished.is_none() && !session.cancelled && Hasher::resume(&session.hash_state).is_none() {
        session.hash_state = Hasher::new(session.algorithm).save();
        session.suspect = true;
    }
    session
}

/// The running hash of the session's bytes.
pub(crate) fn hasher(session: &UploadSession) -> Result<Hasher> {
    let damaged = || berth_metadata::Error::Corrupt(format!("the hash state of upload {}", session.id));
    Ok(Hasher::resume(&session.hash_state).ok_or_else(damaged)?)
}

/// From where the session's upload goes on.
pub(crate) fn checkpoint(session: &UploadSession) -> Checkpoint {
    Checkpoint {
        location: session.location.clone(),
        durable: session.durable,
        tail: session.tail.clone(),
        state: session.storage_state.clone(),
    }
}
