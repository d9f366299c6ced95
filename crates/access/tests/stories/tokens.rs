//! Tokens say what was granted, and are worth no more than that.

use std::time::Duration;

use berth_access::{LoginError, Reason};
use berth_domain::{Action, MemberEntity, Resource, RoleId};

use crate::house::{House, PASSWORD, anonymous, scopes};

#[tokio::test]
async fn granted_is_what_was_asked_as_far_as_it_is_allowed() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let jane = one.user("jane").await;
    let project = one.project("team", false).await;
    one.member(project, MemberEntity::User(jane), RoleId::GUEST).await;
    let jane = one.log_in("jane", PASSWORD).await.unwrap();
    let asked = "repository:team/image:pull,push repository:other/image:pull registry:catalog:* repository:library/a:pull";
    let granted = one.service.issue(&jane, &scopes(asked)).await.unwrap();
    let actions: Vec<_> = granted.access.iter().map(|one| one.actions.join(",")).collect();
    assert_eq!(actions, ["pull", "", "*", "pull"]);
    let nobodys = one.service.grant(&anonymous(), &scopes(asked)).await.unwrap();
    let actions: Vec<_> = nobodys.iter().map(|one| one.actions.join(",")).collect();
    assert_eq!(actions, ["", "", "*", "pull"]);

    let bearer = one.bearer(granted.token.token.reveal()).await.unwrap();
    assert!(matches!(one.service.issue(&bearer, &[]).await, Err(LoginError::Means)));
    one.may(&bearer, "team/image", Action::Pull).await.unwrap();
    let elsewhere = one.may(&bearer, "team/other", Action::Pull).await.unwrap_err();
    assert_eq!((elsewhere.reason, elsewhere.anonymous), (Reason::Scope, true));
    assert_eq!(one.may(&bearer, "team/image", Action::Push).await.unwrap_err().reason, Reason::Missing);
    one.access.check(&bearer, None, Resource::Catalog, Action::List).await.unwrap();
    let team = "team".parse().unwrap();
    let page = one.access.check(&bearer, Some(&team), Resource::Project, Action::Read).await;
    assert_eq!(page.unwrap_err().reason, Reason::Scope, "a registry's token is none for the API");
}

#[tokio::test]
async fn an_anonymous_token_opens_public_projects() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let bearer = one.with_token(&anonymous(), "repository:library/image:pull,push").await;
    one.may(&bearer, "library/image", Action::Pull).await.unwrap();
    let push = one.may(&bearer, "library/image", Action::Push).await.unwrap_err();
    assert_eq!((push.reason, push.anonymous), (Reason::Anonymous, true));
    for broken in ["", "x", "a.b.c", &"x".repeat(1 << 20)] {
        assert!(matches!(one.bearer(broken).await, Err(LoginError::Token(_))));
    }
}

#[tokio::test]
async fn a_refresh_token_is_the_users_until_it_is_revoked_and_robots_get_none() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    one.admin().await;
    one.user("jane").await;
    let project = one.project("team", false).await;
    let (_, secret) = one.robot(project, "ci", &[Action::Pull]).await;
    let robot = one.log_in("robot$team+ci", secret.reveal()).await.unwrap();
    assert_eq!(one.service.refresh_token(&robot, "docker").await.unwrap(), None);
    assert_eq!(one.service.refresh_token(&anonymous(), "docker").await.unwrap(), None);

    let jane = one.log_in("jane", PASSWORD).await.unwrap();
    let refresh = one.service.refresh_token(&jane, "docker").await.unwrap().unwrap();
    house.pass(Duration::from_hours(25));
    let caller = two.service.redeem(&refresh, None, "request".to_owned()).await.unwrap();
    assert_eq!(caller.actor, jane.actor);
    two.with_token(&caller, "repository:library/image:pull").await;
    two.service.prune(Duration::from_hours(24)).await.unwrap();
    two.service.redeem(&refresh, None, "request".to_owned()).await.unwrap();
    one.service.revoke(&refresh).await.unwrap();
    let gone = two.service.redeem(&refresh, None, "request".to_owned()).await;
    assert!(matches!(gone, Err(LoginError::Revoked)));
}
