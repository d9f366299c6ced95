//! What a request needs to know of its subject, read at once: may it act at all, and with which rows?

use async_trait::async_trait;
use berth_domain::{RobotGrant, RobotId, RobotLevel, RoleId, Timestamp, UserId};
use berth_oci::ProjectName;

use crate::Result;

/// A live user in one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserStanding {
    /// May do everything.
    pub sysadmin: bool,
    /// What was issued before is refused.
    pub valid_after: Timestamp,
    /// Its roles in the project that was asked for, directly and by group; none if no project was, or if it is not there.
    pub roles: Vec<RoleId>,
}

/// A robot that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotStanding {
    /// Where it belongs.
    pub level: RobotLevel,
    /// Switched off.
    pub disabled: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// What was issued before is refused.
    pub valid_after: Timestamp,
    /// What it may do.
    pub grants: Vec<RobotGrant>,
}

/// Reading standings. Each is one statement by index: they are read again every few seconds for every subject in use.
#[async_trait]
pub trait StandingReads {
    /// The user as it stands in a project; `None` if the account is not there any more.
    async fn user_standing(
        &self,
        user: UserId,
        project: Option<&ProjectName>,
    ) -> Result<Option<UserStanding>>;

    /// The robot as it stands; `None` if it is not there any more, or its project is not.
    async fn robot_standing(&self, robot: RobotId) -> Result<Option<RobotStanding>>;
}
