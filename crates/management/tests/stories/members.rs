//! Members of projects, by user and by group.

use berth_domain::{GroupType, MemberEntity, MemberId, RoleId, UserId};
use berth_management::{GroupFilter, NewMember};

use crate::house::{House, first, named, word};

fn user(role: i64, name: &str) -> NewMember {
    NewMember { role, username: Some(name.to_owned()), ..NewMember::default() }
}

fn group(role: i64, name: &str, group_type: Option<i64>) -> NewMember {
    NewMember { role, group_name: Some(name.to_owned()), group_type, ..NewMember::default() }
}

#[tokio::test]
async fn users_get_change_and_lose_roles() {
    let house = House::new().await;
    house.project("team", false).await;
    let (id, jane) = house.user("jane").await;
    let (admin, hers) = (house.management.as_caller(&house.admin), house.management.as_caller(&jane));
    let team = named("team");
    assert_eq!(word(hers.project(&team).await), "denied");
    let member = admin.add_member(&team, &user(3, "jane")).await.unwrap();
    assert_eq!(word(hers.project(&team).await), "done");
    let page = hers.member(&team, member).await.unwrap();
    assert_eq!((page.role_name.as_str(), page.member.entity), ("guest", MemberEntity::User(id)));
    assert_eq!(word(hers.add_member(&team, &user(3, "admin")).await), "denied");
    admin.set_member_role(&team, member, RoleId::PROJECT_ADMIN).await.unwrap();
    assert_eq!(word(hers.set_member_role(&team, member, RoleId(9)).await), "invalid");
    let list = hers.members(&team, Some("AN"), first(10)).await.unwrap();
    assert_eq!((list.items.len(), list.total), (1, 1));
    hers.remove_member(&team, member).await.unwrap();
    assert_eq!(word(hers.project(&team).await), "denied");
    assert_eq!(word(admin.remove_member(&team, member).await), "not found");
}

#[tokio::test]
async fn members_that_cannot_be() {
    let house = House::new().await;
    house.project("team", false).await;
    let (id, _) = house.user("jane").await;
    house.member("team", id, 2).await;
    let (admin, team) = (house.management.as_caller(&house.admin), named("team"));
    assert_eq!(word(admin.add_member(&team, &user(3, "jane")).await), "exists");
    assert_eq!(word(admin.add_member(&team, &user(9, "admin")).await), "invalid");
    assert_eq!(word(admin.add_member(&team, &user(0, "admin")).await), "invalid");
    assert_eq!(word(admin.add_member(&team, &user(2, "nobody")).await), "not found");
    assert_eq!(
        word(admin.add_member(&team, &NewMember { role: 2, ..NewMember::default() }).await),
        "invalid"
    );
    let unknown = |user_id, group_id| NewMember { role: 2, user_id, group_id, ..NewMember::default() };
    assert_eq!(word(admin.add_member(&team, &unknown(Some(4711), None)).await), "invalid");
    assert_eq!(word(admin.add_member(&team, &unknown(None, Some(4711))).await), "invalid");
    admin.delete_user(id).await.unwrap();
    assert_eq!(word(admin.add_member(&team, &unknown(Some(id.0), None)).await), "invalid");
    assert_eq!(word(admin.member(&team, MemberId(4711)).await), "not found");
    assert_eq!(word(admin.add_member(&named("nothing"), &user(2, "admin")).await), "not found");
}

#[tokio::test]
async fn a_group_is_made_where_there_is_none() {
    let house = House::new().await;
    house.project("team", false).await;
    let (admin, team) = (house.management.as_caller(&house.admin), named("team"));
    assert_eq!(word(admin.add_member(&team, &group(3, "developers", None)).await), "invalid");
    admin.add_member(&team, &group(3, "developers", Some(3))).await.unwrap();
    assert_eq!(word(admin.add_member(&team, &group(3, "developers", None)).await), "exists");
    let dn = "cn=builders,dc=example";
    let by_dn = NewMember { role: 2, ldap_group_dn: Some(dn.to_owned()), ..NewMember::default() };
    admin.add_member(&team, &by_dn).await.unwrap();
    let groups = admin.groups(&GroupFilter::default(), first(10)).await.unwrap().items;
    let seen: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.group_type)).collect();
    assert_eq!(seen, [("developers", GroupType::Oidc), (dn, GroupType::Ldap)]);
    let roles: Vec<_> = admin.members(&team, None, first(10)).await.unwrap().items;
    assert_eq!(roles.len(), 3, "with the owner");
    assert_eq!(roles[0].member.entity, MemberEntity::User(UserId::ADMIN));
}
