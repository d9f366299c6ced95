//! The handle that doors get: every method begins with its permission check. The methods stand with their nouns.

use berth_access::Caller;
use berth_domain::{Action, DeletionId, Resource};
use berth_metadata::Deletion;
use berth_oci::RepositoryName;

use crate::{Registry, Result};

/// The registry as one caller may use it.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) caller: &'a Caller,
}

impl<'a> Guarded<'a> {
    pub(crate) fn new(registry: &'a Registry, caller: &'a Caller) -> Self {
        Self { registry, caller }
    }

    /// Lets the caller pass if they may do this in the repository.
    pub(crate) async fn check(
        &self,
        repository: &RepositoryName,
        resource: Resource,
        action: Action,
    ) -> Result<()> {
        let access = &self.registry.ports().access;
        Ok(access.check_repository(self.caller, repository, resource, action).await?)
    }

    /// Lets the caller pass if they may do this outside of projects.
    pub(crate) async fn check_system(&self, resource: Resource, action: Action) -> Result<()> {
        Ok(self.registry.ports().access.check(self.caller, None, resource, action).await?)
    }

    /// Lets the caller pass if their credentials still count.
    pub async fn check_standing(&self) -> Result<()> {
        Ok(self.registry.ports().access.check_standing(self.caller).await?)
    }

    /// A new act of deletion by the caller.
    pub(crate) fn deletion(&self) -> Deletion {
        Deletion {
            id: DeletionId(self.registry.ports().entropy.uuid()),
            by: self.caller.actor.clone(),
            at: self.registry.now(),
        }
    }
}
