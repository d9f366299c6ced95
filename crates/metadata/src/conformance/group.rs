//! Groups.

use berth_domain::{GroupId, GroupType, MemberEntity, RoleId};

use super::access::{added, group, named, project, user, whole};
use super::scene::{at, begin};
use crate::group::{GroupFilter, GroupOrder};
use crate::{Added, Metadata, Window};

pub(super) async fn names_are_unique_within_a_type(metadata: &dyn Metadata) {
    let mut tx = begin(metadata).await;
    let ldap = added(tx.add_group(GroupType::Ldap, "same", "cn=same", at(0)).await.expect("an answer"));
    let oidc = added(tx.add_group(GroupType::Oidc, "same", "", at(0)).await.expect("an answer"));
    let taken = tx.add_group(GroupType::Oidc, "same", "", at(0)).await.expect("an answer");
    assert_eq!(taken, Added::Exists);
    let taken = tx.add_group(GroupType::Ldap, "other", "cn=same", at(0)).await.expect("an answer");
    assert_eq!(taken, Added::Exists);
    let other = added(tx.add_group(GroupType::Oidc, "other", "", at(0)).await.expect("an answer"));
    assert_eq!(tx.rename_group(other, "same", at(1)).await.expect("an answer"), Some(Added::Exists));
    assert_eq!(tx.rename_group(other, "third", at(1)).await.expect("an answer"), Some(Added::Added(other)));
    assert_eq!(tx.rename_group(other, "third", at(1)).await.expect("an answer"), Some(Added::Added(other)));
    assert_eq!(tx.rename_group(GroupId(i64::MAX), "x", at(1)).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    let found = metadata.group(ldap).await.expect("an answer").expect("a group");
    assert_eq!((&*found.name, found.group_type, &*found.ldap_group_dn), ("same", GroupType::Ldap, "cn=same"));
    assert_eq!(metadata.group(other).await.expect("an answer").expect("a group").name, "third");

    let filter = GroupFilter { name: Some("same".to_owned()), ..GroupFilter::default() };
    let both = metadata.groups(&filter, whole()).await.expect("a list");
    assert_eq!(both.iter().map(|group| group.id).collect::<Vec<_>>(), [ldap, oidc]);
    let filter = GroupFilter { group_type: Some(GroupType::Ldap), ..filter };
    assert_eq!(metadata.count_groups(&filter).await.expect("a count"), 1);
    let filter = GroupFilter { ldap_group_dn: Some("cn=none".to_owned()), ..filter };
    assert_eq!(metadata.count_groups(&filter).await.expect("a count"), 0);
}

pub(super) async fn lists_are_filtered_and_sorted(metadata: &dyn Metadata) {
    for name in ["Sorted c", "sorted a", "sorted b"] {
        group(metadata, name).await;
    }
    let filter = GroupFilter { name_like: Some("SORTED".to_owned()), ..GroupFilter::default() };
    let names = async |descending, offset| {
        let window = Window { order: GroupOrder::Name, descending, offset, limit: 2 };
        let groups = metadata.groups(&filter, window).await.expect("a list");
        groups.into_iter().map(|group| group.name).collect::<Vec<_>>()
    };
    assert_eq!(names(false, 0).await, ["Sorted c", "sorted a"]);
    assert_eq!(names(false, 2).await, ["sorted b"]);
    assert_eq!(names(true, 0).await, ["sorted b", "sorted a"]);
    assert_eq!(metadata.count_groups(&filter).await.expect("a count"), 3);
}

pub(super) async fn roles_come_and_go_with_the_group(metadata: &dyn Metadata) {
    let id = user(metadata, "grouped").await;
    let (first, second) = (group(metadata, "roles 1").await, group(metadata, "roles 2").await);
    let project = project(metadata, "of-groups").await;
    let set = async |groups: &[GroupId]| {
        let mut tx = begin(metadata).await;
        tx.set_groups_of(id, groups).await.expect("groups");
        tx.commit().await.expect("a commit");
    };
    let mut tx = begin(metadata).await;
    for (entity, role) in [
        (MemberEntity::Group(first), RoleId::DEVELOPER),
        (MemberEntity::Group(second), RoleId::GUEST),
        (MemberEntity::User(id), RoleId::GUEST),
    ] {
        added(tx.add_member(project, entity, role, at(0)).await.expect("an answer"));
    }
    tx.commit().await.expect("a commit");
    let roles = async || {
        let standing = metadata.user_standing(id, Some(&named("of-groups"))).await.expect("an answer");
        let roles = metadata.roles_of(id, project).await.expect("roles");
        assert_eq!(standing.expect("an account").roles, roles);
        roles
    };
    assert_eq!(roles().await, [RoleId::GUEST]);
    set(&[second, first, GroupId(i64::MAX), first]).await;
    assert_eq!(metadata.groups_of(id).await.expect("a list"), [first, second]);
    assert_eq!(roles().await, [RoleId::DEVELOPER, RoleId::GUEST]);
    set(&[second]).await;
    assert_eq!(roles().await, [RoleId::GUEST]);
    set(&[first]).await;
    let mut tx = begin(metadata).await;
    assert!(tx.delete_group(first).await.expect("an answer"));
    assert!(!tx.delete_group(first).await.expect("an answer"));
    tx.commit().await.expect("a commit");
    assert_eq!(roles().await, [RoleId::GUEST]);
    assert_eq!(metadata.groups_of(id).await.expect("a list"), []);
    assert_eq!(metadata.count_members(project, None).await.expect("a count"), 2);
    assert!(group(metadata, "roles 1").await > second, "a new number");
    set(&[]).await;
}
