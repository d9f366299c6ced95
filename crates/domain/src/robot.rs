//! Robots: machines' accounts, with their own list of permissions.

use std::time::Duration;

use berth_oci::ProjectName;

use crate::{Action, Actor, Permission, PermissionSet, ProjectId, Resource, Scope, Timestamp};

/// A robot's number: small, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RobotId(pub i64);

/// Where a robot belongs. Fixed when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RobotLevel {
    /// To the installation.
    System,
    /// To one project: it can be given nothing elsewhere.
    Project(ProjectId),
}

/// Where one of a robot's grants holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RobotScope {
    /// Outside of projects: kind `system`, namespace `/`.
    System,
    /// In every project: kind `project`, namespace `*`.
    AllProjects,
    /// In one project: kind `project`, namespace its name.
    Project(ProjectId),
}

/// What a robot may do in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RobotGrant {
    /// Where.
    pub scope: RobotScope,
    /// What.
    pub access: PermissionSet,
}

/// A machine's account, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Robot {
    /// Its number.
    pub id: RobotId,
    /// Its own name, without prefix and project; fixed when it is made.
    pub name: String,
    /// Where it belongs.
    pub level: RobotLevel,
    /// What it is for.
    pub description: String,
    /// How many days it lives from its creation on; `None` is forever.
    pub duration: Option<u32>,
    /// Switched off.
    pub disabled: bool,
    /// What it may do.
    pub grants: Vec<RobotGrant>,
    /// Who made it.
    pub creator: Actor,
    /// What was issued to it before this moment is refused; moved by every change of its secret and by disabling.
    pub valid_after: Timestamp,
    /// When it last showed its secret, as far as was written down.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Why a robot is refused; the words are for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RobotError {
    /// Not by the rule.
    #[error("robot name must be 1 to 255 lowercase letters and numbers, joined by single '.', '_' or '-'")]
    Name,
    /// Zero, less than -1, or too long.
    #[error("duration must be -1 (never expires) or 1 to {LONGEST_DURATION} days, not {0}")]
    Duration(i64),
    /// It may do nothing.
    #[error("a robot must have at least one permission, each with a non-empty access list")]
    Empty,
    /// Not in the catalogue.
    #[error("{permission} is not in the {scope} permission catalogue: see GET /api/v2.0/permissions")]
    Unknown {
        /// What was asked for.
        permission: String,
        /// Where.
        scope: &'static str,
    },
    /// A project's robot reaches elsewhere.
    #[error("a project robot must have exactly one permission entry, of its own project")]
    Elsewhere,
    /// One place twice.
    #[error("two permission entries name the same namespace")]
    Twice,
}

/// The longest life, in days; longer than that is -1.
pub const LONGEST_DURATION: u32 = i32::MAX as u32 - 1;

impl RobotScope {
    /// Which of the two catalogues it chooses from.
    #[must_use]
    pub const fn catalogue(self) -> Scope {
        match self {
            Self::System => Scope::System,
            Self::AllProjects | Self::Project(_) => Scope::Project,
        }
    }

    /// Whether what holds here holds there too.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::AllProjects, Self::Project(_)))
    }
}

impl Robot {
    /// When it stops; `None` is never.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let days = self.duration?;
        Some(self.created_at.plus(Duration::from_hours(24 * u64::from(days))))
    }

    /// Whether it may log in and act.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        !self.disabled && self.expires_at().is_none_or(|end| now < end)
    }
}

impl RobotGrant {
    /// What it permits to a robot of that level: what was given, and what comes with it.
    ///
    /// Who may delete a repository may delete what is in it. And a project's robot that may push may pull, because clients look
    /// before they push; an installation's robot is told both, as in Harbor.
    #[must_use]
    pub fn permits(&self, level: RobotLevel) -> PermissionSet {
        let mut all = self.access;
        if all.contains(Resource::Repository, Action::Delete) {
            all.insert(Resource::Artifact, Action::Delete);
            all.insert(Resource::Tag, Action::Delete);
        }
        if matches!(level, RobotLevel::Project(_)) && all.contains(Resource::Repository, Action::Push) {
            all.insert(Resource::Repository, Action::Pull);
        }
        all
    }
}

/// What these grants permit to a robot of that level in a place: everything that covers it, together.
#[must_use]
pub fn permitted(level: RobotLevel, grants: &[RobotGrant], place: RobotScope) -> PermissionSet {
    let covering = grants.iter().filter(|grant| grant.scope.covers(place));
    covering.fold(PermissionSet::EMPTY, |all, grant| all.union(&grant.permits(level)))
}

/// Whether a robot may make or keep another: what the other could do, at its own level and with everything that comes with its
/// grants, the creator can do now, place by place.
#[must_use]
pub fn is_subset(other: (RobotLevel, &[RobotGrant]), creator: (RobotLevel, &[RobotGrant])) -> bool {
    let ((level, wanted), (creators, given)) = (other, creator);
    wanted.iter().all(|grant| grant.permits(level).is_subset_of(&permitted(creators, given, grant.scope)))
}

/// Whether a robot of that level can have these grants.
pub fn check_grants(level: RobotLevel, grants: &[RobotGrant]) -> Result<(), RobotError> {
    if grants.is_empty() || grants.iter().any(|grant| grant.access.is_empty()) {
        return Err(RobotError::Empty);
    }
    if let RobotLevel::Project(project) = level
        && !matches!(grants, [only] if only.scope == RobotScope::Project(project))
    {
        return Err(RobotError::Elsewhere);
    }
    for (index, grant) in grants.iter().enumerate() {
        if grants[index + 1..].iter().any(|other| other.scope == grant.scope) {
            return Err(RobotError::Twice);
        }
        let scope = grant.scope.catalogue();
        if let Some(permission) = grant.access.iter().find(|&permission| !scope.offers(permission)) {
            return Err(unknown(permission, scope));
        }
    }
    Ok(())
}

fn unknown(permission: Permission, scope: Scope) -> RobotError {
    let scope = match scope {
        Scope::System => "system",
        Scope::Project => "project",
    };
    RobotError::Unknown { permission: permission.to_string(), scope }
}

/// Whether a new robot may have this name: Harbor's rule, the same as for projects, so that `+` cannot be in it.
pub fn check_name(name: &str) -> Result<(), RobotError> {
    name.parse::<ProjectName>().map(drop).map_err(|_| RobotError::Name)
}

/// Reads a duration in days as Harbor's API gives it.
pub fn read_duration(days: i64) -> Result<Option<u32>, RobotError> {
    match u32::try_from(days) {
        Ok(days) if (1..=LONGEST_DURATION).contains(&days) => Ok(Some(days)),
        _ if days == -1 => Ok(None),
        _ => Err(RobotError::Duration(days)),
    }
}

/// The name that a robot logs in with, without the prefix: `name`, or `project+name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RobotLogin {
    /// Its project, if it belongs to one.
    pub project: Option<ProjectName>,
    /// Its own name.
    pub name: String,
}

impl RobotLogin {
    /// Reads a log-in name; `None` if it is not a robot's: without the prefix, or with a name that no robot can have.
    #[must_use]
    pub fn parse(prefix: &str, login: &str) -> Option<Self> {
        let rest = login.strip_prefix(prefix)?;
        let (project, name) = match rest.split_once('+') {
            Some((project, name)) => (Some(project.parse().ok()?), name),
            None => (None, rest),
        };
        check_name(name).ok()?;
        Some(Self { project, name: name.to_owned() })
    }

    /// The whole log-in name, which is also the name in Harbor's API.
    #[must_use]
    pub fn render(&self, prefix: &str) -> String {
        match &self.project {
            Some(project) => format!("{prefix}{project}+{}", self.name),
            None => format!("{prefix}{}", self.name),
        }
    }
}

/// Whether robots' names can begin with this: it must not be empty, and it must pass through Basic authentication and shells'
/// quoting unharmed.
#[must_use]
pub fn is_prefix(prefix: &str) -> bool {
    let fits = (1..=32).contains(&prefix.len());
    fits && prefix
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b':' | b'+' | b'"' | b'\'' | b'\\'))
}

#[cfg(test)]
mod tests;
