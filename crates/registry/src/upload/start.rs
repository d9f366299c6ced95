//! Starting an upload, and asking how far it is.

use berth_domain::{Action, Resource};
use berth_oci::{Algorithm, RepositoryName};

use super::rules::{Phase, offset};
use super::ticket::Claims;
use super::visit::Visit;
use super::{UploadStatus, UploadTicket};
use crate::destination::Destination;
use crate::guarded::Guarded;
use crate::{Error, Result};

impl Guarded<'_> {
    /// Starts an upload. Nothing durable happens: the ticket's state carries it.
    pub async fn start_upload(
        &self,
        repository: &RepositoryName,
        algorithm: Option<Algorithm>,
    ) -> Result<UploadTicket> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let destination = self.destination(repository).await?;
        Ok(self.new_ticket(repository, algorithm.unwrap_or(Algorithm::Sha256), destination))
    }

    /// How far a session has come. While a client writes to it: how far it would go on from, were that client to stop now.
    pub async fn upload_status(
        &self,
        repository: &RepositoryName,
        ticket: &UploadTicket,
    ) -> Result<UploadStatus> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let visit = Visit::new(self, repository, ticket)?;
        let (session, phase) = visit.look().await?;
        match phase {
            Phase::Gone | Phase::Finished(_) => Err(Error::UploadUnknown),
            _ => Ok(UploadStatus { ticket: ticket.clone(), offset: offset(session.as_ref()) }),
        }
    }

    /// A ticket for a session of the caller's own.
    pub(crate) fn new_ticket(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
        destination: Destination,
    ) -> UploadTicket {
        let claims = Claims { issued_at: self.registry.now(), algorithm, destination };
        let inner = &self.registry.inner;
        inner.signer.issue(inner.ports.entropy.as_ref(), repository, &self.caller.actor, claims)
    }
}
