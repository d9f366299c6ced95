//! Members of projects.

use berth_domain::{GroupId, MemberEntity, MemberId, ProjectId, RoleId, UserId};
use futures::future::join_all;

use super::access::{added, group, named, project, user, whole};
use super::scene::{at, begin, lost};
use crate::member::MemberOrder;
use crate::{Added, Error, Metadata, Window};

pub(super) async fn members_come_and_go(metadata: &dyn Metadata) {
    let (project, other) = (project(metadata, "joined").await, project(metadata, "not-joined").await);
    let (jane, team) = (user(metadata, "jane").await, group(metadata, "Team").await);
    let mut tx = begin(metadata).await;
    let first =
        added(tx.add_member(project, MemberEntity::User(jane), RoleId::GUEST, at(0)).await.expect("one"));
    let second = added(
        tx.add_member(project, MemberEntity::Group(team), RoleId::DEVELOPER, at(0)).await.expect("one"),
    );
    let again = tx.add_member(project, MemberEntity::User(jane), RoleId::MAINTAINER, at(0)).await;
    assert_eq!(again.expect("an answer"), Added::Exists);
    tx.commit().await.expect("a commit");

    let found = metadata.member(project, first).await.expect("an answer").expect("a member");
    assert_eq!((found.entity, &*found.entity_name), (MemberEntity::User(jane), "jane"));
    assert_eq!((found.project, found.role), (project, RoleId::GUEST));
    assert_eq!(metadata.member(other, first).await.expect("an answer"), None);
    let ids = async |order, descending| {
        let window = Window { order, descending, offset: 0, limit: 9 };
        let members = metadata.members(project, None, window).await.expect("a list");
        members.iter().map(|member| member.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(MemberOrder::Id, false).await, [first, second]);
    assert_eq!(ids(MemberOrder::EntityName, false).await, [second, first]);
    assert_eq!(ids(MemberOrder::EntityName, true).await, [first, second]);
    assert_eq!(metadata.members(project, Some("TEA"), whole()).await.expect("a list")[0].id, second);
    assert_eq!(metadata.count_members(project, Some("tea")).await.expect("a count"), 1);
    let by_role = metadata.count_members_by_role(project).await.expect("counts");
    assert_eq!(by_role, [(RoleId::DEVELOPER, 1), (RoleId::GUEST, 1)]);

    let mut tx = begin(metadata).await;
    assert!(tx.set_member_role(project, first, RoleId(77), at(1)).await.expect("an answer"));
    assert!(!tx.set_member_role(other, first, RoleId::GUEST, at(1)).await.expect("an answer"));
    assert!(!tx.remove_member(other, second).await.expect("an answer"));
    assert!(tx.remove_member(project, second).await.expect("an answer"));
    assert!(!tx.remove_member(project, MemberId(i64::MAX)).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(metadata.roles_of(jane, project).await.expect("roles"), [RoleId(77)]);
    assert_eq!(metadata.roles_of(jane, other).await.expect("roles"), []);
    assert_eq!(metadata.projects_of(jane).await.expect("a list"), [(project, RoleId(77))]);
}

pub(super) async fn only_the_living_become_members(metadata: &dyn Metadata) {
    let (project, gone) = (project(metadata, "living").await, user(metadata, "gone member").await);
    let mut tx = begin(metadata).await;
    tx.delete_user(gone, at(1)).await.expect("an answer");
    tx.commit().await.expect("a commit");
    for (project, entity) in [
        (project, MemberEntity::User(gone)),
        (project, MemberEntity::Group(GroupId(i64::MAX))),
        (ProjectId(i64::MAX), MemberEntity::User(UserId::ADMIN)),
    ] {
        let mut tx = begin(metadata).await;
        let refused = tx.add_member(project, entity, RoleId::GUEST, at(2)).await;
        assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    }
}

pub(super) async fn one_of_many_makes_the_member(metadata: &dyn Metadata) {
    let (project, id) = (project(metadata, "raced-members").await, user(metadata, "raced member").await);
    let join = async |role: i64| {
        let mut tx = begin(metadata).await;
        let outcome = lost(tx.add_member(project, MemberEntity::User(id), RoleId(role), at(0)).await)?;
        lost(tx.commit().await).map(|()| outcome)
    };
    let outcomes: Vec<_> = join_all((1..6).map(join)).await.into_iter().flatten().collect();
    let winners = outcomes.iter().filter(|outcome| **outcome != Added::Exists).count();
    assert_eq!(winners, 1, "{outcomes:?}");
    assert_eq!(metadata.count_members(project, None).await.expect("a count"), 1);
}

pub(super) async fn a_leaver_is_nobodys_member(metadata: &dyn Metadata) {
    for round in 0..10 {
        let project = project(metadata, &format!("leaving-{round}")).await;
        let id = user(metadata, &format!("leaving {round}")).await;
        let join = async {
            let mut tx = begin(metadata).await;
            lost(tx.add_member(project, MemberEntity::User(id), RoleId::GUEST, at(0)).await)?;
            lost(tx.commit().await)
        };
        let leave = async {
            loop {
                let mut tx = begin(metadata).await;
                if lost(tx.delete_user(id, at(1)).await).is_some() && lost(tx.commit().await).is_some() {
                    break;
                }
            }
        };
        if round % 2 == 0 {
            futures::future::join(join, leave).await;
        } else {
            futures::future::join(leave, join).await;
        }
        assert_eq!(metadata.count_members(project, None).await.expect("a count"), 0, "round {round}");
    }
}

pub(super) async fn a_standing_tells_all_at_once(metadata: &dyn Metadata) {
    let project = project(metadata, "standing").await;
    let id = user(metadata, "standing").await;
    let mut tx = begin(metadata).await;
    added(tx.add_member(project, MemberEntity::User(id), RoleId::MAINTAINER, at(0)).await.expect("one"));
    tx.set_user_sysadmin(id, true, at(1)).await.expect("an answer");
    tx.set_user_password(id, "x", at(2)).await.expect("an answer");
    tx.commit().await.expect("a commit");
    let standing = async |project: Option<&str>| {
        let name = project.map(named);
        metadata.user_standing(id, name.as_ref()).await.expect("an answer").expect("an account")
    };
    let found = standing(Some("standing")).await;
    assert_eq!((found.sysadmin, found.valid_after), (true, at(2)));
    assert_eq!(found.roles, [RoleId::MAINTAINER]);
    assert_eq!(standing(None).await.roles, []);
    assert_eq!(standing(Some("no-such-project")).await.roles, []);
    let mut tx = begin(metadata).await;
    tx.set_user_sysadmin(id, false, at(3)).await.expect("an answer");
    tx.commit().await.expect("a commit");
    assert!(!standing(None).await.sysadmin);
}
