//! The decision: may this caller do this here?

use std::sync::Arc;

use berth_domain::{Action, PermissionSet, Resource};
use berth_metadata::CatalogScope;
use berth_metadata::project_page::Visibility;
use berth_oci::{ProjectName, RepositoryName};

use crate::authority::{Authority, AuthorityError};
use crate::target::Target;
use crate::{Caller, Means, Outage};

/// Answers every question about rights. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access {
    policy: Policy,
}

#[derive(Clone, Debug)]
enum Policy {
    /// Everyone may do everything.
    Open(Outage),
    /// Everyone may do what their rows say.
    Closed(Arc<Authority>),
}

impl Access {
    /// Everyone may do everything, also without credentials: for tests of what stands above rights. No configuration leads here.
    #[must_use]
    pub fn open() -> Self {
        Self { policy: Policy::Open(Outage::default()) }
    }

    /// Everyone may do what `authority` knows of them.
    #[must_use]
    pub fn closed(authority: Arc<Authority>) -> Self {
        Self { policy: Policy::Closed(authority) }
    }

    /// When the database last did not answer: whoever serves pulls shares this, so that each of them waits once.
    #[must_use]
    pub fn outage(&self) -> &Outage {
        match &self.policy {
            Policy::Open(outage) => outage,
            Policy::Closed(authority) => authority.outage(),
        }
    }

    /// Lets the caller pass if they may do `action` on `resource` within the project; outside of all projects if there is none.
    /// A registry token never speaks of a project as such: ask [`Access::check_repository`] where there is a repository.
    pub async fn check(
        &self,
        caller: &Caller,
        project: Option<&ProjectName>,
        resource: Resource,
        action: Action,
    ) -> Result<(), Denied> {
        self.decide(caller, project.into(), resource, action).await
    }

    /// Lets the caller pass if they may do `action` on `resource` in the repository.
    pub async fn check_repository(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        resource: Resource,
        action: Action,
    ) -> Result<(), Denied> {
        self.decide(caller, Target::Repository(repository), resource, action).await
    }

    /// Lets the caller pass if their credentials still count; for what needs no right but an account.
    pub async fn check_standing(&self, caller: &Caller) -> Result<(), Denied> {
        let Policy::Closed(authority) = &self.policy else { return Ok(()) };
        let answer = authority.honours(caller).await;
        answer.map_err(|error| refused(&error, caller, Resource::User, Action::Read))
    }

    /// What the caller may do within the project, or outside of all projects; for a page that shows that.
    pub async fn permitted(
        &self,
        caller: &Caller,
        project: Option<&ProjectName>,
    ) -> Result<PermissionSet, Denied> {
        let Policy::Closed(authority) = &self.policy else { return Ok(PermissionSet::ALL) };
        let target = Target::from(project);
        let permitted = authority.permissions(caller, target).await;
        let permitted =
            permitted.map_err(|error| refused(&error, caller, Resource::Project, Action::Read))?;
        Ok(target.by_means(caller, permitted))
    }

    /// The projects that a list may show to the caller.
    pub async fn visible_projects(&self, caller: &Caller) -> Result<Visibility, Denied> {
        let Policy::Closed(authority) = &self.policy else { return Ok(Visibility::All) };
        let visible = authority.visible_projects(caller).await;
        visible.map_err(|error| refused(&error, caller, Resource::Project, Action::List))
    }

    /// The repositories that a list may show to the caller.
    pub async fn visible(&self, caller: &Caller) -> Result<CatalogScope, Denied> {
        let Policy::Closed(authority) = &self.policy else { return Ok(CatalogScope::All) };
        let visible = authority.visible(caller).await;
        visible.map_err(|error| refused(&error, caller, Resource::Catalog, Action::List))
    }

    /// Whether a push by this caller may make the project it names.
    pub async fn may_create_by_push(&self, caller: &Caller) -> Result<bool, Denied> {
        let Policy::Closed(authority) = &self.policy else { return Ok(true) };
        let permitted = authority.permissions(caller, Target::System).await;
        let permitted =
            permitted.map_err(|error| refused(&error, caller, Resource::Project, Action::Create))?;
        Ok(authority.settings().create_on_push && permitted.contains(Resource::Project, Action::Create))
    }

    /// Tells everybody that a project was made or changed here.
    pub async fn forget_project(&self, project: &ProjectName) {
        if let Policy::Closed(authority) = &self.policy {
            authority.forget_project(project).await;
        }
    }

    async fn decide(
        &self,
        caller: &Caller,
        target: Target<'_>,
        resource: Resource,
        action: Action,
    ) -> Result<(), Denied> {
        let Policy::Closed(authority) = &self.policy else {
            tracing::trace!(actor = caller.actor.name, ?target, ?resource, ?action, "open access");
            return Ok(());
        };
        let answer = authority.question(caller, target, resource, action).await;
        let (within, now) = answer.map_err(|error| refused(&error, caller, resource, action))?;
        if within.contains(resource, action) {
            return Ok(());
        }
        let reason = match caller.means {
            Means::Nothing => Reason::Anonymous,
            Means::Bearer(_) if now.contains(resource, action) => Reason::Scope,
            // An anonymous token is no more than no credentials at all.
            Means::Bearer(_) if caller.actor.kind == berth_domain::ActorKind::Anonymous => Reason::Anonymous,
            _ => Reason::Missing,
        };
        let repository = match target {
            Target::Repository(name) => Some(name.clone()),
            Target::System | Target::Project(_) => None,
        };
        Err(Denied { repository, ..Denied::because(reason, resource, action) })
    }
}

/// The caller may not do this. Says no more than the caller may know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{action} on {resource}{} is not permitted{}", self.place(), reason.words())]
pub struct Denied {
    /// What was acted upon.
    pub resource: Resource,
    /// What was to be done.
    pub action: Action,
    /// Where, if it is about one repository: as the caller named it, so it tells them nothing.
    pub repository: Option<RepositoryName>,
    /// Whether other credentials might help, so that the client is asked for them.
    pub anonymous: bool,
    /// Why.
    pub reason: Reason,
}

/// Why something is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody said who they are.
    Anonymous,
    /// The account lacks the right.
    Missing,
    /// The account has the right, but the token does not say so: `insufficient_scope`.
    Scope,
    /// The credentials do not count any more: `invalid_token`.
    Revoked,
    /// It cannot be found out now: to be tried again.
    Unavailable,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Self::Anonymous => ": log in first",
            Self::Missing => "",
            Self::Scope => " with this token: ask for one with this scope",
            Self::Revoked => ": these credentials are no longer valid, log in again",
            Self::Unavailable => " now: rights cannot be looked up, try again shortly",
        }
    }
}

impl Denied {
    fn because(reason: Reason, resource: Resource, action: Action) -> Self {
        let anonymous = matches!(reason, Reason::Anonymous | Reason::Scope | Reason::Revoked);
        Self { resource, action, repository: None, anonymous, reason }
    }

    fn place(&self) -> String {
        match (&self.repository, self.resource) {
            (None, _) => String::new(),
            (Some(name), Resource::Repository) => format!(" {name}"),
            (Some(name), _) => format!(" in {name}"),
        }
    }
}

fn refused(error: &AuthorityError, caller: &Caller, resource: Resource, action: Action) -> Denied {
    let reason = match error {
        AuthorityError::Revoked => Reason::Revoked,
        AuthorityError::Database(error) => {
            let request_id = caller.request_id.as_str();
            tracing::warn!(request_id, %error, "rights cannot be looked up");
            Reason::Unavailable
        }
    };
    Denied::because(reason, resource, action)
}
