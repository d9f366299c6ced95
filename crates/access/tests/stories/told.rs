//! A change that is told to the cache counts at once on every replica that the cache reaches, while the clock stands; and concerns
//! nobody else.

use std::time::Duration;

use berth_access::authenticator::{Credentials, Purpose};
use berth_access::{LoginError, Reason, Secret};
use berth_domain::{Action, ActorKind, MemberEntity, ProjectId, RoleId, UserId};
use berth_metadata::member::MemberOrder;
use berth_metadata::{Metadata as _, Window};

use crate::house::{House, PASSWORD, Replica};

/// Two replicas with one cache, a project, and a member of it who pulls from both.
async fn two(house: &House) -> (Replica, Replica, UserId, ProjectId) {
    let one = house.replica().await;
    let two = house.replica_beside(&one).await;
    let (jane, project) = one.jane_of_team().await;
    (one, two, jane, project)
}

#[tokio::test]
async fn a_password_that_was_changed() {
    let house = House::new();
    let (one, two, jane, _) = two(&house).await;
    let basic = two.log_in("jane", PASSWORD).await.unwrap();
    let bearer = two.with_token(&basic, "repository:team/image:pull").await;
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();
    house.pass(Duration::from_micros(1));
    one.set_password(jane, "An0ther password").await;
    two.may(&bearer, "team/image", Action::Pull).await.expect("nobody was told yet");
    one.authority.forget(ActorKind::User, jane.0).await;
    let denied = two.may(&bearer, "team/image", Action::Pull).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Revoked);
    assert!(matches!(two.log_in("jane", PASSWORD).await, Err(LoginError::Wrong)));
}

#[tokio::test]
async fn a_member_who_left() {
    let house = House::new();
    let (one, two, _, project) = two(&house).await;
    let basic = two.log_in("jane", PASSWORD).await.unwrap();
    two.may(&basic, "team/image", Action::Push).await.unwrap();
    let window = Window { order: MemberOrder::Id, descending: false, offset: 0, limit: 10 };
    let members = one.metadata.members(project, Some("jane"), window).await.unwrap();
    let mut tx = one.begin().await;
    assert!(tx.remove_member(project, members[0].id).await.unwrap());
    tx.commit().await.unwrap();
    two.may(&basic, "team/image", Action::Push).await.expect("nobody was told yet");
    one.authority.forget_project(&"team".parse().unwrap()).await;
    assert!(two.may(&basic, "team/image", Action::Push).await.is_err());
}

#[tokio::test]
async fn a_session_that_was_ended() {
    let house = House::new();
    let (one, two, ..) = two(&house).await;
    let (login, secret, request_id) = ("jane", &Secret::new(PASSWORD), "request");
    let shown = Credentials { login, secret, purpose: Purpose::Api, address: None, request_id };
    let begun = one.authenticator.log_in(&shown).await.unwrap();
    two.authenticator.session(&begun.cookie, None, String::new()).await.unwrap();
    one.authenticator.log_out(&begun.cookie).await.unwrap();
    let over = two.authenticator.session(&begun.cookie, None, String::new()).await;
    assert!(matches!(over, Err(LoginError::Revoked)));
}

/// The database is gone: only what is still believed can answer. Two keys of a cache may be one to its stamps, so of many others
/// nearly all are as they were.
#[tokio::test]
async fn hardly_anybody_else_is_asked_for_again() {
    let house = House::new();
    let (one, two, jane, project) = two(&house).await;
    let mut others = Vec::new();
    for name in (0..20).map(|n| format!("joe{n}")) {
        let joe = one.user(&name).await;
        one.member(project, MemberEntity::User(joe), RoleId::DEVELOPER).await;
        others.push(two.log_in(&name, PASSWORD).await.unwrap());
    }
    let jane_in = two.log_in("jane", PASSWORD).await.unwrap();
    for caller in others.iter().chain([&jane_in]) {
        two.may(caller, "team/image", Action::Pull).await.unwrap();
    }
    two.sql.close().await;
    one.authority.forget(ActorKind::User, jane.0).await;
    let denied = two.may(&jane_in, "team/image", Action::Pull).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Unavailable);
    let mut as_before = 0;
    for caller in &others {
        as_before += u32::from(two.may(caller, "team/image", Action::Pull).await.is_ok());
    }
    assert!(as_before >= 18, "{as_before} of 20");
}
