//! What is asked for when a robot is made or changed, and what becomes of it.

use berth_domain::robot::{RobotError, check_grants, is_subset, read_duration};
use berth_domain::{
    Action, ActorKind, PermissionSet, Project, Resource, RobotGrant, RobotId, RobotLevel, RobotScope, Scope,
};
use berth_metadata::standing::RobotStanding;
use berth_oci::ProjectName;

use crate::error::cut;
use crate::guarded::Guarded;
use crate::{Error, ProjectRef, Result};

/// The longest description, in bytes, as Harbor's.
const LONGEST_DESCRIPTION: usize = 1024;

/// A robot in the form of Harbor's API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedRobot {
    /// Its own name, without prefix and project. Where it stays, the name that it logs in with does as well.
    pub name: String,
    /// `system` or `project`.
    pub level: String,
    /// What it is for.
    pub description: String,
    /// How many days it lives, -1 for ever; 0 or nothing is what the configuration says, or, where there is a robot already, what
    /// it has.
    pub duration: Option<i64>,
    /// Switched off.
    pub disabled: bool,
    /// What it may do, one entry a place.
    pub permissions: Vec<RobotPermission>,
}

/// What it may do in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotPermission {
    /// `system` or `project`.
    pub kind: String,
    /// `/` outside of projects, `*` for all projects, or a project's name.
    pub namespace: String,
    /// Resources and actions of the catalogue.
    pub access: Vec<(String, String)>,
}

impl WantedRobot {
    /// How many days it lives.
    pub(super) fn days(&self, otherwise: Option<u32>) -> Result<Option<u32>> {
        match self.duration {
            None | Some(0) => Ok(otherwise),
            Some(days) => Ok(read_duration(days)?),
        }
    }

    pub(super) fn check_description(&self) -> Result<()> {
        let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if self.description.len() > LONGEST_DESCRIPTION || self.description.contains(strange) {
            return Err(Error::invalid(
                "description must be at most 1024 bytes long, without control characters",
            ));
        }
        Ok(())
    }
}

impl Guarded<'_> {
    /// The project that the robot is to belong to, none if to the installation; if the caller may make robots there.
    pub(super) async fn place_of(&self, wanted: &WantedRobot) -> Result<Option<Project>> {
        match wanted.level.as_str() {
            "system" => {
                self.check(Resource::Robot, Action::Create).await?;
                Ok(None)
            }
            "project" => {
                let [only] = wanted.permissions.as_slice() else {
                    let empty = wanted.permissions.is_empty();
                    return Err(if empty { RobotError::Empty } else { RobotError::Elsewhere }.into());
                };
                let named = ProjectRef::parse(&only.namespace, true);
                self.project_for(&named, Resource::Robot, Action::Create).await.map(Some)
            }
            _ => Err(Error::invalid("level must be system or project")),
        }
    }

    /// What a robot of that place may be given of what is wanted by this caller.
    pub(super) async fn grants(
        &self,
        place: Option<&Project>,
        wanted: &WantedRobot,
    ) -> Result<Vec<RobotGrant>> {
        let level = place.map_or(RobotLevel::System, |project| RobotLevel::Project(project.id));
        let projects = match place {
            Some(project) => vec![project.clone()],
            None => self.metadata().projects_named(&names(&wanted.permissions)).await?,
        };
        let mut grants = Vec::new();
        for permission in &wanted.permissions {
            match scope(permission, &projects)? {
                Some(scope) => grants.push(RobotGrant { scope, access: access(permission, scope)? }),
                None if place.is_some() => return Err(RobotError::Elsewhere.into()),
                None if self.is_robot() => return Err(Error::Exceeds),
                None => return Err(Error::not_found("project", &cut(&permission.namespace))),
            }
        }
        check_grants(level, &grants)?;
        self.check_within_own(level, &grants).await?;
        Ok(grants)
    }

    /// A robot gives no more than it has now.
    async fn check_within_own(&self, level: RobotLevel, grants: &[RobotGrant]) -> Result<()> {
        if !self.is_robot() {
            return Ok(());
        }
        let own = self.own_standing().await?;
        let within = own.is_some_and(|own| is_subset((level, grants), (own.level, &own.grants)));
        if within { Ok(()) } else { Err(Error::Exceeds) }
    }

    /// What the caller was given, if it is a robot.
    pub(crate) async fn own_grants(&self) -> Result<Vec<RobotGrant>> {
        Ok(self.own_standing().await?.map(|standing| standing.grants).unwrap_or_default())
    }

    /// The caller as the database has it, if it is a robot.
    async fn own_standing(&self) -> Result<Option<RobotStanding>> {
        if !self.is_robot() {
            return Ok(None);
        }
        Ok(self.metadata().robot_standing(RobotId(self.caller.actor.id)).await?)
    }

    fn is_robot(&self) -> bool {
        self.caller.actor.kind == ActorKind::Robot
    }
}

/// The projects that are named.
fn names(permissions: &[RobotPermission]) -> Vec<ProjectName> {
    permissions.iter().filter_map(|permission| permission.namespace.parse().ok()).collect()
}

/// Where a permission holds; `None` if its project is not among these.
fn scope(permission: &RobotPermission, projects: &[Project]) -> Result<Option<RobotScope>> {
    match (permission.kind.as_str(), permission.namespace.as_str()) {
        ("system", "/" | "") => Ok(Some(RobotScope::System)),
        ("system", _) => Err(Error::invalid("the namespace of a permission of kind system must be /")),
        ("project", "*") => Ok(Some(RobotScope::AllProjects)),
        ("project", name) => {
            let project = projects.iter().find(|project| project.name.as_str() == name);
            Ok(project.map(|project| RobotScope::Project(project.id)))
        }
        _ => Err(Error::invalid("the kind of a permission must be system or project")),
    }
}

/// What a permission permits there.
fn access(permission: &RobotPermission, scope: RobotScope) -> Result<PermissionSet> {
    let mut set = PermissionSet::EMPTY;
    for (resource, action) in &permission.access {
        let (Some(on), Some(what)) = (Resource::parse(resource), Action::parse(action)) else {
            let scope = match scope.catalogue() {
                Scope::System => "system",
                Scope::Project => "project",
            };
            let permission = format!("{}:{}", cut(resource), cut(action));
            return Err(RobotError::Unknown { permission, scope }.into());
        };
        set.insert(on, what);
    }
    Ok(set)
}
