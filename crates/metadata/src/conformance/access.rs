//! Builders of who is asking, for the cases about users, groups, members, robots and what hangs on them.

use berth_domain::{GroupId, GroupType, ProjectId, RobotLevel, UserId};
use berth_oci::ProjectName;

use super::scene::{at, begin, project_in, somebody};
use crate::robot::NewRobot;
use crate::user::NewUser;
use crate::{Added, Metadata, Window};

/// An account that is not there yet.
pub(super) fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        realname: format!("The {name}"),
        comment: String::new(),
        sysadmin: false,
        password: Some(format!("kept {name}")),
    }
}

/// What was added.
pub(super) fn added<T>(outcome: Added<T>) -> T {
    match outcome {
        Added::Added(new) => new,
        Added::Exists => panic!("it was there"),
    }
}

/// Makes an account.
pub(super) async fn user(metadata: &dyn Metadata, name: &str) -> UserId {
    let mut tx = begin(metadata).await;
    let id = added(tx.add_user(&new_user(name), at(0)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    id
}

/// Makes a group.
pub(super) async fn group(metadata: &dyn Metadata, name: &str) -> GroupId {
    let mut tx = begin(metadata).await;
    let id = added(tx.add_group(GroupType::Oidc, name, "", at(0)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    id
}

/// A project's name.
pub(super) fn named(name: &str) -> ProjectName {
    name.parse().expect("a name")
}

/// Makes a private project without members.
pub(super) async fn project(metadata: &dyn Metadata, name: &str) -> ProjectId {
    let mut tx = begin(metadata).await;
    let project = project_in(&mut *tx, &named(name)).await.expect("a project").id;
    tx.commit().await.expect("a commit");
    let members = metadata.members(project, None, whole()).await.expect("a list");
    let mut tx = begin(metadata).await;
    for member in members {
        assert!(tx.remove_member(project, member.id).await.expect("an answer"));
    }
    tx.commit().await.expect("a commit");
    project
}

/// Makes somebody's project.
pub(super) async fn project_of(
    metadata: &dyn Metadata,
    name: &str,
    public: bool,
    owner: UserId,
) -> ProjectId {
    let mut tx = begin(metadata).await;
    let made = tx.add_project(&named(name), public, owner, None, &somebody(), at(1)).await;
    let id = added(made.expect("an answer"));
    tx.commit().await.expect("a commit");
    id
}

/// A robot that is not there yet.
pub(super) fn new_robot(name: &str, level: RobotLevel) -> NewRobot {
    NewRobot {
        name: name.to_owned(),
        level,
        description: "builds".to_owned(),
        duration: Some(30),
        disabled: false,
        grants: Vec::new(),
        secret: "kept".to_owned(),
        creator: somebody(),
    }
}

/// Everything of a list, in one page.
pub(super) fn whole<O: Default>() -> Window<O> {
    Window { order: O::default(), descending: false, offset: 0, limit: 1000 }
}
