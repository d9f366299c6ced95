//! Every kind of change ends what it ends after five seconds at the latest, on a replica that did not hear of it, for tokens that are
//! out already: a line a kind.

use berth_access::freshness::BELIEVED;
use berth_access::{Caller, LoginError, Secret};
use berth_domain::{
    Action, Actor, GroupId, GroupType, MemberEntity, PermissionSet, ProjectId, Resource, RobotGrant, RobotId,
    RobotScope, RoleId, UserId,
};
use berth_metadata::Transaction;
use berth_metadata::robot::RobotChange;
use berth_metadata::user::Added;

use crate::house::{House, PASSWORD, Replica, anonymous};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Password,
    CliSecret,
    Role,
    MemberRemoved,
    GroupRemoved,
    GroupLeft,
    GroupDeleted,
    SysadminDemoted,
    UserDeleted,
    RobotSecret,
    RobotDisabled,
    RobotNarrowed,
    RobotDeleted,
    ProjectMadePrivate,
    ProjectDeleted,
}

/// Who loses what by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// A member by herself.
    Jane,
    /// A member by his group.
    Joe,
    /// A system administrator.
    Sue,
    Robot,
    Nobody,
}

use Change as C;

/// The change; who loses what they may do in which repository; whether they may not log in any more.
const TABLE: [(Change, Who, &str, Action, bool); 17] = [
    (C::Password, Who::Jane, "team/image", Action::Pull, true),
    (C::CliSecret, Who::Jane, "team/image", Action::Pull, false),
    (C::Role, Who::Jane, "team/image", Action::Push, false),
    (C::MemberRemoved, Who::Jane, "team/image", Action::Pull, false),
    (C::GroupRemoved, Who::Joe, "team/image", Action::Pull, false),
    (C::GroupLeft, Who::Joe, "team/image", Action::Pull, false),
    (C::GroupDeleted, Who::Joe, "team/image", Action::Pull, false),
    (C::SysadminDemoted, Who::Sue, "team/image", Action::Pull, false),
    (C::UserDeleted, Who::Jane, "team/image", Action::Pull, true),
    (C::RobotSecret, Who::Robot, "team/image", Action::Pull, true),
    (C::RobotDisabled, Who::Robot, "team/image", Action::Pull, true),
    (C::RobotNarrowed, Who::Robot, "team/image", Action::Push, false),
    (C::RobotDeleted, Who::Robot, "team/image", Action::Pull, true),
    (C::ProjectMadePrivate, Who::Nobody, "open/image", Action::Pull, false),
    (C::ProjectMadePrivate, Who::Jane, "open/image", Action::Pull, false),
    (C::ProjectDeleted, Who::Jane, "team/image", Action::Push, false),
    (C::ProjectDeleted, Who::Robot, "team/image", Action::Push, true),
];

struct Scene {
    team: ProjectId,
    open: ProjectId,
    jane: UserId,
    joe: UserId,
    sue: UserId,
    group: GroupId,
    robot: RobotId,
    secret: Secret,
}

async fn scene(one: &Replica) -> Scene {
    one.admin().await;
    let [jane, joe, sue] = [one.user("jane").await, one.user("joe").await, one.user("sue").await];
    let (team, open) = (one.project("team", false).await, one.project("open", true).await);
    let mut tx = one.begin().await;
    assert!(tx.set_user_sysadmin(sue, true, one.now()).await.expect("the house works"));
    let Added::Added(group) =
        tx.add_group(GroupType::Oidc, "group", "", one.now()).await.expect("the house works")
    else {
        panic!("the group exists")
    };
    tx.set_groups_of(joe, &[group]).await.expect("the house works");
    tx.commit().await.expect("the house works");
    one.member(team, MemberEntity::User(jane), RoleId::DEVELOPER).await;
    one.member(team, MemberEntity::Group(group), RoleId::DEVELOPER).await;
    let (robot, secret) = one.robot(team, "ci", &[Action::Pull, Action::Push]).await;
    Scene { team, open, jane, joe, sue, group, robot, secret }
}

impl Scene {
    async fn make(&self, change: Change, one: &Replica) {
        let kept = one.passwords.hash(Secret::new("An0ther password")).await.expect("the house works");
        let (kept, now) = (kept.as_str(), one.now());
        let roles = [MemberEntity::User(self.jane), MemberEntity::Group(self.group)];
        let [of_jane, of_group] = roles.map(|entity| self.member(one, entity));
        let mut tx = one.begin().await;
        let there = match change {
            C::Password => tx.set_user_password(self.jane, kept, now).await,
            C::CliSecret => tx.set_user_cli_secret(self.jane, kept, now).await,
            C::Role => tx.set_member_role(self.team, of_jane.await, RoleId::GUEST, now).await,
            C::MemberRemoved => tx.remove_member(self.team, of_jane.await).await,
            C::GroupRemoved => tx.remove_member(self.team, of_group.await).await,
            C::GroupLeft => tx.set_groups_of(self.joe, &[]).await.map(|()| true),
            C::GroupDeleted => tx.delete_group(self.group).await,
            C::SysadminDemoted => tx.set_user_sysadmin(self.sue, false, now).await,
            C::UserDeleted => tx.delete_user(self.jane, now).await,
            C::RobotSecret => tx.set_robot_secret(self.robot, kept, now).await,
            C::RobotDisabled | C::RobotNarrowed => self.change_robot(tx.as_mut(), change, one).await,
            C::RobotDeleted => tx.delete_robot(self.robot).await,
            C::ProjectMadePrivate => tx.set_project_public(self.open, false, now).await.map(|()| true),
            C::ProjectDeleted => {
                let gone = tx.delete_empty_project(self.team, &Actor::system(), now).await;
                gone.map(|gone| gone.is_some())
            }
        };
        assert!(there.expect("the house works"), "{change:?}");
        tx.commit().await.expect("the house works");
    }

    async fn change_robot(
        &self,
        tx: &mut dyn Transaction,
        change: Change,
        one: &Replica,
    ) -> berth_metadata::Result<bool> {
        let narrow = change == C::RobotNarrowed;
        let actions: &[Action] = if narrow { &[Action::Pull] } else { &[Action::Pull, Action::Push] };
        let access = PermissionSet::on_one(Resource::Repository, actions);
        let change = RobotChange {
            description: String::new(),
            duration: Some(30),
            disabled: !narrow,
            grants: vec![RobotGrant { scope: RobotScope::Project(self.team), access }],
        };
        tx.change_robot(self.robot, &change, one.now()).await
    }

    async fn member(&self, one: &Replica, entity: MemberEntity) -> berth_domain::MemberId {
        let window = berth_metadata::Window {
            order: berth_metadata::member::MemberOrder::Id,
            descending: false,
            offset: 0,
            limit: 10,
        };
        let members = one.metadata.members(self.team, None, window).await.expect("the house works");
        members.iter().find(|member| member.entity == entity).expect("the house works").id
    }

    async fn log_in(&self, who: Who, two: &Replica) -> Result<Caller, LoginError> {
        match who {
            Who::Jane => two.log_in("jane", PASSWORD).await,
            Who::Joe => two.log_in("joe", PASSWORD).await,
            Who::Sue => two.log_in("sue", PASSWORD).await,
            Who::Robot => two.log_in("robot$team+ci", self.secret.reveal()).await,
            Who::Nobody => Ok(anonymous()),
        }
    }
}

#[tokio::test]
async fn every_change_counts_within_five_seconds_on_tokens_that_are_out() {
    for (change, who, repository, action, shuts_out) in TABLE {
        let told = format!("{change:?} for {who:?}");
        let house = House::new();
        let (one, two) = (house.replica().await, house.replica().await);
        let scene = scene(&one).await;
        let basic = scene.log_in(who, &two).await.expect("the house works");
        let bearer = two.with_token(&basic, &format!("repository:{repository}:pull,push")).await;
        for caller in [&basic, &bearer] {
            two.may(caller, repository, action).await.expect("the house works");
        }
        scene.make(change, &one).await;
        for caller in [&basic, &bearer] {
            two.may(caller, repository, action).await.expect("it was not heard of yet, and is believed");
        }
        house.pass(BELIEVED);
        for caller in [&basic, &bearer] {
            assert!(two.may(caller, repository, action).await.is_err(), "{told}: {:?}", caller.means);
        }
        let again = scene.log_in(who, &two).await;
        assert_eq!(again.is_err(), shuts_out, "{told}: {again:?}");
    }
}
