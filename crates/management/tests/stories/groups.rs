//! User groups.

use berth_domain::GroupId;
use berth_management::{GroupFilter, NewMember};

use crate::house::{House, anonymous, first, named, word};

#[tokio::test]
async fn an_administrator_makes_changes_and_deletes_them() {
    let house = House::new().await;
    let admin = house.management.as_caller(&house.admin);
    let id = admin.create_group(3, "developers", "").await.unwrap();
    assert_eq!(word(admin.create_group(3, "developers", "").await), "exists");
    admin.create_group(2, "developers", "").await.unwrap();
    for (group_type, name, dn) in [(4, "x", ""), (3, "", ""), (1, "x", ""), (3, "a\tb", "")] {
        assert_eq!(word(admin.create_group(group_type, name, dn).await), "invalid");
    }
    admin.rename_group(id, "builders").await.unwrap();
    assert_eq!(word(admin.rename_group(id, "").await), "invalid");
    assert_eq!(word(admin.rename_group(GroupId(4711), "x").await), "not found");
    assert_eq!(admin.group(id).await.unwrap().name, "builders");
    let list = admin.groups(&GroupFilter::default(), first(1)).await.unwrap();
    assert_eq!((list.items.len(), list.total), (1, 2));
    admin.delete_group(id).await.unwrap();
    assert_eq!(word(admin.delete_group(id).await), "not found");
    assert_eq!(word(admin.group(id).await), "not found");
}

#[tokio::test]
async fn others_find_names_and_no_more() {
    let house = House::new().await;
    let (_, jane) = house.user("jane").await;
    let admin = house.management.as_caller(&house.admin);
    let id = admin.create_group(1, "developers", "cn=developers,dc=example").await.unwrap();
    let hers = house.management.as_caller(&jane);
    let found = hers.search_groups("DEV", first(10)).await.unwrap();
    assert_eq!((found.items[0].name.as_str(), found.items[0].ldap_group_dn.as_str()), ("developers", ""));
    assert_eq!(word(house.management.as_caller(&anonymous()).search_groups("d", first(1)).await), "log in");
    assert_eq!(word(hers.groups(&GroupFilter::default(), first(1)).await), "denied");
    assert_eq!(word(hers.create_group(3, "mine", "").await), "denied");
    assert_eq!(word(hers.rename_group(id, "mine").await), "denied");
    assert_eq!(word(hers.delete_group(id).await), "denied");
}

#[tokio::test]
async fn the_roles_of_a_deleted_group_are_gone_at_once() {
    let house = House::new().await;
    house.project("team", false).await;
    let (user, jane) = house.user("jane").await;
    let admin = house.management.as_caller(&house.admin);
    let id = admin.create_group(3, "developers", "").await.unwrap();
    let mut tx = house.metadata.begin().await.unwrap();
    tx.set_groups_of(user, &[id]).await.unwrap();
    tx.commit().await.unwrap();
    let wanted = NewMember { role: 2, group_id: Some(id.0), ..NewMember::default() };
    admin.add_member(&named("team"), &wanted).await.unwrap();
    let hers = house.management.as_caller(&jane);
    assert_eq!(word(hers.project(&named("team")).await), "done");
    admin.delete_group(id).await.unwrap();
    assert_eq!(word(hers.project(&named("team")).await), "denied");
}
