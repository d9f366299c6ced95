//! The decision: may this caller do this here?

use berth_domain::{Action, Resource};
use berth_metadata::CatalogScope;
use berth_oci::ProjectName;

use crate::Caller;

/// Answers every question about rights.
#[derive(Clone, Debug)]
pub struct Access {
    policy: Policy,
}

#[derive(Clone, Debug)]
enum Policy {
    /// Everyone may do everything.
    Open,
}

impl Access {
    /// Everyone may do everything, also without credentials.
    #[must_use]
    pub fn open() -> Self {
        Self { policy: Policy::Open }
    }

    /// Lets the caller pass if they may do `action` on `resource` within the project; outside of all projects if there is none.
    #[expect(
        clippy::unused_async,
        reason = "permissions will be looked up; every caller already waits for the answer"
    )]
    pub async fn check(
        &self,
        caller: &Caller,
        project: Option<&ProjectName>,
        resource: Resource,
        action: Action,
    ) -> Result<(), Denied> {
        match self.policy {
            Policy::Open => {
                tracing::trace!(actor = caller.actor.name, ?project, ?resource, ?action, "open access");
                Ok(())
            }
        }
    }

    /// The repositories that a list may show to the caller.
    #[expect(
        clippy::unused_async,
        reason = "permissions will be looked up; every caller already waits for the answer"
    )]
    pub async fn visible(&self, _caller: &Caller) -> Result<CatalogScope, Denied> {
        match self.policy {
            Policy::Open => Ok(CatalogScope::All),
        }
    }

    /// Whether a push may make the project it names.
    #[must_use]
    pub fn may_create_projects(&self) -> bool {
        match self.policy {
            Policy::Open => true,
        }
    }
}

/// The caller may not do this. Says no more than the caller may know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} on {resource} is not permitted", action = action.as_str(), resource = resource.as_str())]
pub struct Denied {
    /// What was acted upon.
    pub resource: Resource,
    /// What was to be done.
    pub action: Action,
    /// Whether credentials might help: nobody said who they are.
    pub anonymous: bool,
}
