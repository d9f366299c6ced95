//! What a subject may do in a place: a pure function over rows that were loaded.

use std::collections::BTreeMap;

use berth_domain::{
    Action, PermissionSet, ProjectId, Resource, RobotGrant, RobotLevel, RobotScope, Role, RoleId, Timestamp,
    robot,
};

/// Where something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Outside of all projects.
    System,
    /// In a project.
    Project {
        /// Which one.
        id: ProjectId,
        /// Whether everyone may pull from it.
        public: bool,
    },
}

/// A subject as its rows describe it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Nobody said who they are.
    Anonymous,
    /// A person.
    User {
        /// May do everything.
        sysadmin: bool,
        /// The roles in the place's project, directly and by group, in any order; none outside of projects.
        roles: &'a [RoleId],
    },
    /// A machine.
    Robot {
        /// Where it belongs.
        level: RobotLevel,
        /// Everything that it was given.
        grants: &'a [RobotGrant],
    },
}

/// Whether a subject is to be believed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Exists, is switched on, and has not expired.
    pub active: bool,
    /// What was issued before this moment is refused.
    pub valid_after: Timestamp,
}

/// The roles by number: Harbor's five, and those that were added as rows.
#[derive(Clone, Debug)]
pub struct Roles(BTreeMap<RoleId, PermissionSet>);

/// What everyone with an account may do outside of projects. Which projects a list shows is decided row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemRules {
    /// Whether every user and every robot of the installation may make projects, not only who was given that.
    pub users_create_projects: bool,
}

impl Standing {
    /// A subject that nobody can revoke: anonymous, or Berth itself.
    pub const ALWAYS: Self = Self { active: true, valid_after: Timestamp::from_micros(i64::MIN) };

    /// Whether what was issued at that moment still counts.
    #[must_use]
    pub fn honours(&self, issued_at: Timestamp) -> bool {
        self.active && issued_at >= self.valid_after
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self::new([])
    }
}

impl Roles {
    /// Harbor's roles and `added` ones; an added one cannot take the number of one of Harbor's.
    #[must_use]
    pub fn new(added: impl IntoIterator<Item = Role>) -> Self {
        let harbors = Role::harbors().iter().cloned();
        Self(added.into_iter().chain(harbors).map(|role| (role.id, role.permissions)).collect())
    }

    /// What a role permits; nothing if there is no such role any more.
    #[must_use]
    pub fn permissions(&self, role: RoleId) -> &PermissionSet {
        self.0.get(&role).unwrap_or(&PermissionSet::EMPTY)
    }
}

/// What the subject may do there now.
#[must_use]
pub fn effective(subject: Subject<'_>, place: Place, known: &Roles, rules: SystemRules) -> PermissionSet {
    let makes_projects = || {
        let may: &[Action] = if rules.users_create_projects { &[Action::Create] } else { &[] };
        PermissionSet::on_one(Resource::Project, may)
    };
    let own = match (subject, place) {
        (Subject::User { sysadmin: true, .. }, _) => PermissionSet::ALL,
        (Subject::Anonymous, _) => PermissionSet::EMPTY,
        (Subject::User { .. }, Place::System) => makes_projects(),
        (Subject::User { roles, .. }, Place::Project { .. }) => {
            roles.iter().fold(PermissionSet::EMPTY, |all, role| all.union(known.permissions(*role)))
        }
        (Subject::Robot { level, grants }, Place::System) => {
            let given = robot::permitted(level, grants, RobotScope::System);
            if level == RobotLevel::System { given.union(&makes_projects()) } else { given }
        }
        (Subject::Robot { level, grants }, Place::Project { id, .. }) => {
            robot::permitted(level, grants, RobotScope::Project(id))
        }
    };
    match place {
        Place::Project { public: true, .. } => own.union(Role::in_public_projects()),
        Place::Project { .. } => own,
        Place::System => own.union(&filtered_lists()),
    }
}

/// The lists that everyone may ask for, because they hold for each caller only what that caller may see. Who may read the catalog
/// as such sees all of it.
fn filtered_lists() -> PermissionSet {
    let projects = PermissionSet::on_one(Resource::Project, &[Action::List]);
    projects.union(&PermissionSet::on_one(Resource::Catalog, &[Action::List]))
}

#[cfg(test)]
mod tests;
