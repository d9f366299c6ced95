//! What operations are about: robots, users, groups and members that are there, somewhere else, or nowhere.

use berth_domain::{GroupType, MemberEntity, RobotLevel, Role};
use berth_metadata::user::Added;

use super::PUBLIC;
use super::actors::Actor;
use super::cast::{Stage, now};
use super::operations::Operation;

/// A number that is nobody's.
const NOBODY: i64 = 99_999;

/// What an operation is about beside its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Nothing,
    Robot(Where),
    /// Whoever asks.
    Oneself,
    /// Another person, who has no part in this.
    Somebody,
    Group,
    Member(Where),
}

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// In the project that is asked about.
    Here,
    /// In a project in which nobody here has a role.
    Elsewhere,
    /// In no project.
    Installation,
    /// Nowhere.
    Nowhere,
}

/// Those that were made, once for all who ask.
pub(super) struct Targets {
    open_robot: i64,
    closed_robot: i64,
    robot_elsewhere: i64,
    robot_of_installation: i64,
    somebody: i64,
    /// The first who may takes them away.
    to_delete: i64,
    group: i64,
    open_member: i64,
    closed_member: i64,
    member_elsewhere: i64,
}

impl Targets {
    pub(super) async fn make(stage: &Stage) -> Self {
        let robot = |level| stage.robot_to_act_on(level);
        let mut members = [0; 3];
        for (at, project) in [stage.open, stage.closed, stage.elsewhere].into_iter().enumerate() {
            let user = stage.add_user(&format!("acted-on-{at}"), None).await;
            let mut tx = stage.begin().await;
            let added = tx.add_member(project, MemberEntity::User(user), Role::harbors()[4].id, now()).await;
            let Added::Added(member) = added.unwrap() else { panic!("they are a member") };
            tx.commit().await.unwrap();
            members[at] = member.0;
        }
        let mut tx = stage.begin().await;
        let Added::Added(group) = tx.add_group(GroupType::Http, "other", "", now()).await.unwrap() else {
            panic!("the group exists")
        };
        tx.commit().await.unwrap();
        Self {
            open_robot: robot(RobotLevel::Project(stage.open)).await,
            closed_robot: robot(RobotLevel::Project(stage.closed)).await,
            robot_elsewhere: robot(RobotLevel::Project(stage.elsewhere)).await,
            robot_of_installation: robot(RobotLevel::System).await,
            somebody: stage.add_user("somebody", None).await.0,
            to_delete: stage.add_user("to-delete", None).await.0,
            group: group.0,
            open_member: members[0],
            closed_member: members[1],
            member_elsewhere: members[2],
        }
    }

    /// The number of what the operation is about. What takes robots away gets one of its own, because everybody is told if one is gone.
    pub(super) async fn of(&self, stage: &Stage, operation: &Operation, project: &str, by: &Actor) -> i64 {
        let open = project == PUBLIC;
        let deletes = operation.method == "DELETE";
        match operation.target {
            Target::Nothing => 0,
            Target::Robot(Where::Nowhere) | Target::Member(Where::Installation | Where::Nowhere) => NOBODY,
            Target::Robot(place) if deletes => {
                let level = match place {
                    Where::Here => RobotLevel::Project(if open { stage.open } else { stage.closed }),
                    Where::Elsewhere => RobotLevel::Project(stage.elsewhere),
                    Where::Installation | Where::Nowhere => RobotLevel::System,
                };
                stage.robot_to_act_on(level).await
            }
            Target::Robot(Where::Here) if open => self.open_robot,
            Target::Robot(Where::Here) => self.closed_robot,
            Target::Robot(Where::Elsewhere) => self.robot_elsewhere,
            Target::Robot(Where::Installation) => self.robot_of_installation,
            Target::Oneself => by.id.unwrap_or(NOBODY),
            Target::Somebody if deletes => self.to_delete,
            Target::Somebody => self.somebody,
            Target::Group => self.group,
            Target::Member(Where::Here) if open => self.open_member,
            Target::Member(Where::Here) => self.closed_member,
            Target::Member(Where::Elsewhere) => self.member_elsewhere,
        }
    }
}
