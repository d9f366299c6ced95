//! What a question about rights is about.

use berth_domain::PermissionSet;
use berth_oci::{ProjectName, RepositoryName};

use crate::scope::ScopeTarget;
use crate::{Caller, Means};

/// Where something is to be done, by name.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Outside of all projects.
    System,
    /// In a project as such. Registry tokens never speak of one.
    Project(&'a ProjectName),
    /// In a repository.
    Repository(&'a RepositoryName),
}

impl<'a> From<Option<&'a ProjectName>> for Target<'a> {
    fn from(project: Option<&'a ProjectName>) -> Self {
        project.map_or(Self::System, Self::Project)
    }
}

impl Target<'_> {
    /// The project that it lies in.
    #[must_use]
    pub fn project(self) -> Option<ProjectName> {
        match self {
            Self::System => None,
            Self::Project(name) => Some(name.clone()),
            Self::Repository(name) => Some(name.project()),
        }
    }

    /// Of what the subject may do now, that which the caller's means let them do.
    #[must_use]
    pub(crate) fn by_means(self, caller: &Caller, now: PermissionSet) -> PermissionSet {
        match &caller.means {
            Means::Bearer(token) => token.coverage.on(|scope| self.is(scope)).intersection(&now),
            _ => now,
        }
    }

    /// Whether a scope speaks of it.
    fn is(self, scope: &ScopeTarget) -> bool {
        match (self, scope) {
            (Self::System, ScopeTarget::Catalog) => true,
            (Self::Repository(meant), ScopeTarget::Repository(name)) => meant == name,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use berth_domain::{Action, Actor, Resource, Role, RoleId, Timestamp};

    use super::*;
    use crate::caller::Identity;
    use crate::scope::{Coverage, parse_scopes};
    use crate::token::VerifiedToken;

    fn with_token(scope: &str) -> Caller {
        let access = parse_scopes([scope]).unwrap();
        let (actor, now) = (Actor::anonymous(), Timestamp::from_micros(0));
        let coverage = Coverage::of(&access);
        let token = VerifiedToken { actor: actor.clone(), access, coverage, issued_at: now, expires_at: now };
        let identity = Identity { actor, issued_at: now, ends_at: None };
        identity.calls(Means::Bearer(Arc::new(token)), None, String::new())
    }

    fn role(id: RoleId) -> PermissionSet {
        Role::harbors().iter().find(|role| role.id == id).unwrap().permissions
    }

    #[test]
    fn a_token_is_cut_down_to_what_is_permitted_now_and_here() {
        let caller = with_token("repository:library/a:pull,push");
        let [here, elsewhere]: [RepositoryName; 2] =
            ["library/a", "library/b"].map(|name| name.parse().unwrap());
        let pushes = |set: PermissionSet| set.contains(Resource::Repository, Action::Push);
        let may = |target: Target<'_>, now| target.by_means(&caller, now);
        assert!(pushes(may(Target::Repository(&here), role(RoleId::DEVELOPER))));
        let now_guest = may(Target::Repository(&here), role(RoleId::GUEST));
        assert!(!pushes(now_guest) && now_guest.contains(Resource::Repository, Action::Pull));
        assert!(may(Target::Repository(&elsewhere), role(RoleId::DEVELOPER)).is_empty());
        assert!(may(Target::System, PermissionSet::ALL).is_empty());
        assert!(may(Target::Project(&here.project()), PermissionSet::ALL).is_empty());
        let all = may(Target::Repository(&here), PermissionSet::ALL);
        assert!(!all.contains(Resource::Artifact, Action::Delete));
    }
}
