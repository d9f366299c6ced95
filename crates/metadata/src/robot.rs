//! Robots: machines' accounts with their grants.

use async_trait::async_trait;
use berth_domain::{Actor, ProjectId, Robot, RobotGrant, RobotId, RobotLevel, Timestamp};
use berth_oci::ProjectName;

use crate::user::Added;
use crate::{Result, Window};

/// A robot with what it takes to check its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotCredentials {
    /// The account.
    pub robot: Robot,
    /// Its project's name, if it belongs to one.
    pub project: Option<ProjectName>,
    /// Its secret, in the form in which the use case keeps it.
    pub secret: String,
}

/// A new robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRobot {
    /// Its own name; free on its level.
    pub name: String,
    /// Where it belongs.
    pub level: RobotLevel,
    /// What it is for.
    pub description: String,
    /// How many days it lives.
    pub duration: Option<u32>,
    /// Switched off from the start.
    pub disabled: bool,
    /// What it may do.
    pub grants: Vec<RobotGrant>,
    /// Its secret as it is kept.
    pub secret: String,
    /// Who makes it.
    pub creator: Actor,
}

/// What can be changed of a robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotChange {
    /// What it is for.
    pub description: String,
    /// How many days it lives, from its creation on.
    pub duration: Option<u32>,
    /// Switched off.
    pub disabled: bool,
    /// What it may do.
    pub grants: Vec<RobotGrant>,
}

/// By what a list of robots is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RobotOrder {
    /// By number.
    #[default]
    Id,
    /// By name, in byte order.
    Name,
    /// By when it was made, then by number.
    CreatedAt,
}

/// Which robots a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotFilter {
    /// Of this level, and of this project if it is a project's.
    pub level: RobotLevel,
    /// Exactly one of these own names; none does not restrict.
    pub name: Vec<String>,
    /// This within the own name.
    pub name_like: Option<String>,
}

/// Looking at robots. Those of deleted projects are not there.
#[async_trait]
pub trait RobotReads {
    /// The robot of that number.
    async fn robot(&self, id: RobotId) -> Result<Option<RobotCredentials>>;

    /// The robot that logs in as `name`, or as `project+name`.
    async fn robot_by_login(
        &self,
        project: Option<&ProjectName>,
        name: &str,
    ) -> Result<Option<RobotCredentials>>;

    /// Some robots.
    async fn robots(&self, filter: &RobotFilter, window: Window<RobotOrder>) -> Result<Vec<Robot>>;

    /// How many robots the filter lets through.
    async fn count_robots(&self, filter: &RobotFilter) -> Result<u64>;
}

/// Changing robots. `valid_after` only ever moves on, as that of users.
#[async_trait]
pub trait RobotWrites {
    /// Makes a robot.
    async fn add_robot(&mut self, robot: &NewRobot, at: Timestamp) -> Result<Added<RobotId>>;

    /// Changes it. Switching it off moves `valid_after`. Whether it was there.
    async fn change_robot(&mut self, id: RobotId, change: &RobotChange, at: Timestamp) -> Result<bool>;

    /// Changes its secret and moves `valid_after`. Whether it was there.
    async fn set_robot_secret(&mut self, id: RobotId, secret: &str, at: Timestamp) -> Result<bool>;

    /// Keeps the same secret in a newer form, if it is still kept as `from`; `valid_after` stays.
    async fn rehash_robot_secret(&mut self, id: RobotId, from: &str, to: &str) -> Result<bool>;

    /// Removes it. Whether it was there.
    async fn delete_robot(&mut self, id: RobotId) -> Result<bool>;

    /// Removes all robots of a project. How many went.
    async fn delete_robots_of(&mut self, project: ProjectId) -> Result<u64>;

    /// Writes down when robots last showed their secrets, in one batch; a later moment stays, and robots that are gone are passed
    /// over.
    async fn record_robot_uses(&mut self, uses: &[(RobotId, Timestamp)]) -> Result<()>;
}
