//! What a question about rights is about.

use berth_domain::PermissionSet;
use berth_oci::{ProjectName, RepositoryName};

use crate::permissions::within_token;
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
        let Means::Bearer(token) = &caller.means else { return now };
        let scope = match self {
            Self::System => ScopeTarget::Catalog,
            Self::Project(_) => return PermissionSet::EMPTY,
            Self::Repository(name) => ScopeTarget::Repository(name.clone()),
        };
        within_token(&token.access, &scope, &now)
    }
}
