//! The handle that doors get: every method begins with its permission check. The methods stand with their nouns.

use std::sync::Arc;

use berth_access::{Caller, Denied, Means, Reason};
use berth_domain::{Action, ActorKind, Project, Resource, User, UserId};
use berth_metadata::{Metadata, Transaction};

use crate::{Error, Management, ProjectRef, Result};

/// The house as one caller may manage it.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<'a> {
    pub(crate) management: &'a Management,
    pub(crate) caller: &'a Caller,
}

impl<'a> Guarded<'a> {
    pub(crate) fn new(management: &'a Management, caller: &'a Caller) -> Self {
        Self { management, caller }
    }

    pub(crate) fn metadata(&self) -> &Arc<dyn Metadata> {
        &self.management.parts().metadata
    }

    pub(crate) async fn begin(&self) -> Result<Box<dyn Transaction>> {
        Ok(self.metadata().begin().await?)
    }

    /// Lets the caller pass if they may do this outside of projects.
    pub(crate) async fn check(&self, resource: Resource, action: Action) -> Result<()> {
        Ok(self.management.access().check(self.caller, None, resource, action).await?)
    }

    /// Lets a system administrator pass: what is in nobody's role and no robot can be given. `resource` and `action` are what the
    /// refusal speaks of.
    pub(crate) async fn check_sysadmin(&self, resource: Resource, action: Action) -> Result<()> {
        let access = self.management.access();
        let passed = access.check(self.caller, None, Resource::Configuration, Action::Update).await;
        Ok(passed.map_err(|denied| Denied { resource, action, ..denied })?)
    }

    /// Lets everybody pass who has an account. A registry token speaks of repositories, and is not enough.
    pub(crate) async fn check_account(&self, resource: Resource, action: Action) -> Result<()> {
        self.check_known(resource, action).await?;
        if matches!(self.caller.means, Means::Bearer(_)) {
            return Err(self.denied(Reason::Scope, resource, action));
        }
        Ok(())
    }

    /// Lets everybody pass who has an account, with a registry token too: for what one is told of oneself.
    pub(crate) async fn check_known(&self, resource: Resource, action: Action) -> Result<()> {
        if matches!(self.caller.actor.kind, ActorKind::Anonymous) {
            return Err(self.denied(Reason::Anonymous, resource, action));
        }
        Ok(self.management.access().check_standing(self.caller).await?)
    }

    /// Lets the user pass that the action is about. A registry token lets them look, and change nothing.
    pub(crate) async fn check_self(&self, action: Action) -> Result<()> {
        if action != Action::Read && matches!(self.caller.means, Means::Bearer(_)) {
            return Err(self.denied(Reason::Scope, Resource::User, action));
        }
        Ok(self.management.access().check_standing(self.caller).await?)
    }

    /// The project, if the caller may do this there. Whether it exists is only said to those who would see it if it did.
    pub(crate) async fn project_for(
        &self,
        named: &ProjectRef,
        resource: Resource,
        action: Action,
    ) -> Result<Project> {
        let found = self.find_project(named).await?;
        let name = match (&found, named) {
            (Some(project), _) => &project.name,
            (None, ProjectRef::Name(name)) => name,
            (None, _) => {
                self.check_sysadmin(resource, action).await?;
                return Err(Error::not_found("project", &named));
            }
        };
        self.management.access().check(self.caller, Some(name), resource, action).await?;
        found.ok_or_else(|| Error::not_found("project", &named))
    }

    /// The live project, whether or not the caller may know of it.
    pub(crate) async fn find_project(&self, named: &ProjectRef) -> Result<Option<Project>> {
        Ok(match named {
            ProjectRef::Id(id) => self.metadata().project_by_id(*id).await?,
            ProjectRef::Name(name) => self.metadata().project(name).await?,
            ProjectRef::Nothing(_) => None,
        })
    }

    /// Whether the caller is this user.
    pub(crate) fn is(&self, user: UserId) -> bool {
        self.caller.actor.kind == ActorKind::User && self.caller.actor.id == user.0
    }

    /// The caller's number, if they are a person.
    pub(crate) fn person(&self) -> Option<UserId> {
        (self.caller.actor.kind == ActorKind::User).then_some(UserId(self.caller.actor.id))
    }

    /// The live user of that number.
    pub(crate) async fn live_user(&self, id: UserId) -> Result<User> {
        self.metadata().user(id).await?.ok_or_else(|| Error::not_found("user", &id.0))
    }

    pub(crate) fn denied(&self, reason: Reason, resource: Resource, action: Action) -> Error {
        let anonymous = matches!(reason, Reason::Anonymous | Reason::Scope | Reason::Revoked);
        tracing::debug!(actor = self.caller.actor.name, ?reason, %resource, %action, "denied");
        Error::Denied(Denied { resource, action, repository: None, anonymous, reason })
    }
}
