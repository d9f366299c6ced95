//! How a robot looks in Harbor's API. Its secret is told once, to whoever made it, and never here.

use berth_domain::{ActorKind, PermissionSet, Robot, RobotLevel};
use berth_http::rest::time;
use berth_management::RobotPage;
use berth_management::robot::RobotGrantPage;
use serde::Serialize;

use crate::permissions::PermissionView;

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct RobotView<'a> {
    id: i64,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    level: &'static str,
    duration: i64,
    /// Harbor's first robots, which cannot be changed, do not exist here.
    editable: bool,
    disable: bool,
    expires_at: i64,
    permissions: Vec<GrantView<'a>>,
    creator_type: &'static str,
    creator_ref: i64,
    creation_time: String,
    update_time: String,
}

#[derive(Debug, Serialize)]
struct GrantView<'a> {
    kind: &'static str,
    namespace: &'a str,
    access: Vec<PermissionView>,
}

impl<'a> From<&'a RobotPage> for RobotView<'a> {
    fn from(RobotPage { robot, name, grants }: &'a RobotPage) -> Self {
        Self {
            id: robot.id.0,
            name,
            description: &robot.description,
            level: match robot.level {
                RobotLevel::System => "system",
                RobotLevel::Project(_) => "project",
            },
            duration: robot.duration.map_or(-1, i64::from),
            editable: true,
            disable: robot.disabled,
            expires_at: ends(robot),
            permissions: grants.iter().map(GrantView::from).collect(),
            creator_type: if robot.creator.kind == ActorKind::Robot { "robot" } else { "local" },
            creator_ref: robot.creator.id,
            creation_time: time(robot.created_at),
            update_time: time(robot.updated_at),
        }
    }
}

impl<'a> From<&'a RobotGrantPage> for GrantView<'a> {
    fn from(grant: &'a RobotGrantPage) -> Self {
        let access: &PermissionSet = &grant.access;
        Self {
            kind: grant.kind,
            namespace: &grant.namespace,
            access: access.iter().map(PermissionView::from).collect(),
        }
    }
}

/// When a robot ends, in seconds since 1970; -1 is never.
pub(super) fn ends(robot: &Robot) -> i64 {
    robot.expires_at().map_or(-1, |at| at.as_micros().div_euclid(1_000_000))
}
