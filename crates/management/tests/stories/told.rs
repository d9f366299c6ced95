//! Each change counts at once on another replica that the same cache reaches, while the clock stands: so each of them tells it.

use std::time::Duration;

use berth_access::{Caller, Secret};
use berth_domain::{Action, Resource, RobotId, RoleId};
use berth_management::{NewMember, WantedRobot};
use berth_oci::ProjectName;

use crate::house::{House, anonymous, named, robot};

const PULL: (&str, &str) = ("repository", "pull");

impl House {
    /// Whether the other replica lets the caller do that in `team`.
    async fn may(&self, caller: &Caller, resource: Resource, action: Action) -> bool {
        let team: ProjectName = "team".parse().expect("the house works");
        let permitted = self.elsewhere.permitted(caller, Some(&team)).await;
        permitted.is_ok_and(|permitted| permitted.contains(resource, action))
    }

    async fn may_pull(&self, caller: &Caller) -> bool {
        self.may(caller, Resource::Repository, Action::Pull).await
    }

    async fn may_push(&self, caller: &Caller) -> bool {
        self.may(caller, Resource::Repository, Action::Push).await
    }

    /// Whether the other replica still honours what the caller showed.
    async fn honours(&self, caller: &Caller) -> bool {
        self.elsewhere.check_standing(caller).await.is_ok()
    }
}

#[tokio::test]
async fn members_and_groups() {
    let house = House::new().await;
    house.project("team", false).await;
    let (user, jane) = house.user("jane").await;
    let admin = house.management.as_caller(&house.admin);
    assert!(!house.may_pull(&jane).await);
    let member = house.member("team", user, RoleId::DEVELOPER.0).await;
    assert!(house.may_push(&jane).await);
    admin.set_member_role(&named("team"), member, RoleId::GUEST).await.unwrap();
    assert!(house.may_pull(&jane).await && !house.may_push(&jane).await);
    admin.remove_member(&named("team"), member).await.unwrap();
    assert!(!house.may_pull(&jane).await);

    let group = admin.create_group(3, "developers", "").await.unwrap();
    let mut tx = house.metadata.begin().await.unwrap();
    tx.set_groups_of(user, &[group]).await.unwrap();
    tx.commit().await.unwrap();
    let wanted = NewMember { role: 2, group_id: Some(group.0), ..NewMember::default() };
    admin.add_member(&named("team"), &wanted).await.unwrap();
    assert!(house.may_push(&jane).await);
    admin.delete_group(group).await.unwrap();
    assert!(!house.may_pull(&jane).await);
}

#[tokio::test]
async fn users() {
    let house = House::new().await;
    house.project("team", false).await;
    let (user, jane) = house.user("jane").await;
    let admin = house.management.as_caller(&house.admin);
    assert!(!house.may_push(&jane).await);
    for sysadmin in [true, false] {
        admin.set_sysadmin(user, sysadmin).await.unwrap();
        assert_eq!(house.may_push(&jane).await, sysadmin);
    }
    assert!(house.honours(&jane).await);
    house.clock.advance(Duration::from_micros(1));
    admin.set_password(user, None, Secret::new("An0ther password")).await.unwrap();
    assert!(!house.honours(&jane).await);
    let jane = house.log_in("jane", "An0ther password").await.unwrap();
    assert!(house.honours(&jane).await);
    house.clock.advance(Duration::from_micros(1));
    admin.set_cli_secret(user, Secret::new("Cl1 secret of Jane")).await.unwrap();
    assert!(!house.honours(&jane).await);
    let jane = house.log_in("jane", "An0ther password").await.unwrap();
    assert!(house.honours(&jane).await);
    admin.delete_user(user).await.unwrap();
    assert!(!house.honours(&jane).await);
}

#[tokio::test]
async fn projects() {
    let house = House::new().await;
    let admin = house.management.as_caller(&house.admin);
    assert!(!house.may_pull(&anonymous()).await, "it is not there");
    house.project("team", true).await;
    assert!(house.may_pull(&anonymous()).await);
    let public = |value: &str| vec![("public".to_owned(), value.to_owned())];
    admin.update_project(&named("team"), &public("false")).await.unwrap();
    assert!(!house.may_pull(&anonymous()).await);
    admin.update_setting(&named("team"), "public", "true").await.unwrap();
    assert!(house.may_pull(&anonymous()).await);
    admin.delete_project(&named("team")).await.unwrap();
    assert!(!house.may_pull(&anonymous()).await);
}

#[tokio::test]
async fn robots() {
    let house = House::new().await;
    house.project("team", false).await;
    let admin = house.management.as_caller(&house.admin);
    let ci = house.robot("team", "ci", &[PULL, ("repository", "push")]).await;
    let id = RobotId(ci.actor.id);
    assert!(house.may_push(&ci).await);
    let fewer = WantedRobot { duration: Some(-1), ..robot("team", &ci.actor.name, &[PULL]) };
    admin.update_robot(id, &fewer).await.unwrap();
    assert!(house.may_pull(&ci).await && !house.may_push(&ci).await);
    house.clock.advance(Duration::from_micros(1));
    admin.refresh_robot(id, Some(Secret::new("Chosen s3cret"))).await.unwrap();
    assert!(!house.honours(&ci).await);
    let ci = house.log_in(&ci.actor.name, "Chosen s3cret").await.unwrap();
    assert!(house.honours(&ci).await);
    admin.update_robot(id, &WantedRobot { disabled: true, ..fewer.clone() }).await.unwrap();
    assert!(!house.honours(&ci).await);
    admin.update_robot(id, &fewer).await.unwrap();
    let ci = house.log_in(&ci.actor.name, "Chosen s3cret").await.unwrap();
    assert!(house.honours(&ci).await);
    admin.delete_robot(id).await.unwrap();
    assert!(!house.honours(&ci).await);
}
