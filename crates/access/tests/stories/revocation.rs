//! What was given out ends within five seconds of the change, on every replica; and pulls survive a database that is away.

use std::time::Duration;

use berth_access::{LoginError, Reason};
use berth_domain::{Action, RoleId};
use berth_metadata::member::MemberOrder;
use berth_metadata::{Metadata as _, Window};

use crate::house::{House, PASSWORD, anonymous};

const FIVE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_change_of_password_ends_tokens_and_log_ins_on_the_other_replica() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    let (jane, _) = one.jane_of_team().await;
    let basic = two.log_in("jane", PASSWORD).await.unwrap();
    let bearer = two.with_token(&basic, "repository:team/image:pull").await;
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();
    let refresh = two.service.refresh_token(&basic, "docker").await.unwrap().unwrap();

    house.pass(Duration::from_micros(1));
    one.set_password(jane, "An0ther password").await;
    house.pass(FIVE);
    for revoked in [&basic, &bearer] {
        let denied = two.may(revoked, "team/image", Action::Pull).await.unwrap_err();
        assert_eq!((denied.reason, denied.anonymous), (Reason::Revoked, true));
    }
    assert!(
        matches!(two.log_in("jane", PASSWORD).await, Err(LoginError::Wrong)),
        "also if it was remembered"
    );
    assert!(matches!(two.service.issue(&basic, &[]).await, Err(LoginError::Revoked)));
    let redeemed = two.service.redeem(&refresh, None, "request".to_owned()).await;
    assert!(matches!(redeemed, Err(LoginError::Revoked)));
    let fresh = two.log_in("jane", "An0ther password").await.unwrap();
    let bearer = two.with_token(&fresh, "repository:team/image:pull").await;
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();
}

#[tokio::test]
async fn a_password_that_was_shown_just_before_its_change_gives_no_token_after_it() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let jane = one.user("jane").await;
    let caller = one.log_in("jane", PASSWORD).await.unwrap();
    one.with_token(&caller, "repository:library/image:pull").await;
    house.pass(Duration::from_secs(1));
    one.set_password(jane, "An0ther password").await;
    house.pass(Duration::from_secs(1));
    // This replica has not heard of the change yet; what it issues now ends with it all the same.
    let bearer = one.with_token(&caller, "repository:library/image:pull").await;
    house.pass(FIVE);
    assert_eq!(one.access.check_standing(&bearer).await.unwrap_err().reason, Reason::Revoked);
}

#[tokio::test]
async fn a_change_of_role_takes_effect_on_tokens_that_are_out() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    let (_, project) = one.jane_of_team().await;
    let basic = two.log_in("jane", PASSWORD).await.unwrap();
    let bearer = two.with_token(&basic, "repository:team/image:pull,push").await;
    two.may(&bearer, "team/image", Action::Push).await.unwrap();

    let window = Window { order: MemberOrder::Id, descending: false, offset: 0, limit: 10 };
    let members = one.metadata.members(project, Some("jane"), window).await.unwrap();
    let mut tx = one.begin().await;
    assert!(tx.set_member_role(project, members[0].id, RoleId::GUEST, one.now()).await.unwrap());
    tx.commit().await.unwrap();
    house.pass(FIVE);
    assert_eq!(two.may(&bearer, "team/image", Action::Push).await.unwrap_err().reason, Reason::Missing);
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();

    let mut tx = one.begin().await;
    assert!(tx.remove_member(project, members[0].id).await.unwrap());
    tx.commit().await.unwrap();
    let name = "team".parse().unwrap();
    one.authority.forget_project(&name).await;
    assert!(one.may(&bearer, "team/image", Action::Pull).await.is_err(), "at once where it happened");
    house.pass(FIVE);
    assert!(two.may(&bearer, "team/image", Action::Pull).await.is_err());
}

#[tokio::test]
async fn what_is_in_use_is_read_again_in_the_background() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    one.project("team", true).await;
    one.may(&anonymous(), "team/image", Action::Pull).await.unwrap();
    let project = one.metadata.project(&"team".parse().unwrap()).await.unwrap().unwrap();
    let mut tx = one.begin().await;
    tx.set_project_public(project.id, false, one.now()).await.unwrap();
    tx.commit().await.unwrap();
    house.pass(Duration::from_secs(3));
    one.may(&anonymous(), "team/image", Action::Pull).await.unwrap();
    // The clock stands, so only the background can have brought the change.
    while one.may(&anonymous(), "team/image", Action::Pull).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn pulls_go_on_for_a_minute_without_the_database_and_nothing_else_does() {
    let house = House::new();
    let one = house.replica().await;
    one.jane_of_team().await;
    let basic = one.log_in("jane", PASSWORD).await.unwrap();
    let bearer = one.with_token(&basic, "repository:team/image:pull,push").await;
    for caller in [&basic, &bearer] {
        one.may(caller, "team/image", Action::Pull).await.unwrap();
        one.may(caller, "team/image", Action::Push).await.unwrap();
    }
    one.sql.close().await;

    house.pass(Duration::from_secs(50));
    let again = one.log_in("jane", PASSWORD).await.unwrap();
    for caller in [&basic, &bearer, &again] {
        one.may(caller, "team/image", Action::Pull).await.unwrap();
        let push = one.may(caller, "team/image", Action::Push).await.unwrap_err();
        assert_eq!((push.reason, push.anonymous), (Reason::Unavailable, false));
        let unseen = one.may(caller, "other/image", Action::Pull).await.unwrap_err();
        assert_eq!(unseen.reason, Reason::Unavailable);
    }
    assert!(matches!(one.service.issue(&basic, &[]).await, Err(LoginError::Database(_))));
    assert!(matches!(one.log_in("jane", "Wr0ng password").await, Err(LoginError::Database(_))));

    house.pass(Duration::from_secs(10));
    let late = one.may(&bearer, "team/image", Action::Pull).await.unwrap_err();
    assert_eq!(late.reason, Reason::Unavailable);
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nothing_alive() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    let (jane, project) = one.jane_of_team().await;
    let basic = two.log_in("jane", PASSWORD).await.unwrap();
    let bearer = two.with_token(&basic, "repository:team/image:pull").await;
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();

    house.clock.set_back(Duration::from_hours(1));
    one.set_password(jane, "An0ther password").await;
    house.pass(FIVE);
    for revoked in [&basic, &bearer] {
        assert_eq!(two.may(revoked, "team/image", Action::Pull).await.unwrap_err().reason, Reason::Revoked);
    }
    assert!(matches!(two.log_in("jane", PASSWORD).await, Err(LoginError::Wrong)));

    // What is issued now is of a moment that this clock has not reached, and counts.
    let fresh = two.log_in("jane", "An0ther password").await.unwrap();
    let bearer = two.with_token(&fresh, "repository:team/image:pull").await;
    two.may(&bearer, "team/image", Action::Pull).await.unwrap();
    let members = Window { order: MemberOrder::Id, descending: false, offset: 0, limit: 10 };
    let members = one.metadata.members(project, Some("jane"), members).await.unwrap();
    house.clock.set_back(Duration::from_hours(1));
    let mut tx = one.begin().await;
    assert!(tx.remove_member(project, members[0].id).await.unwrap());
    tx.commit().await.unwrap();
    house.pass(FIVE);
    assert_eq!(two.may(&bearer, "team/image", Action::Pull).await.unwrap_err().reason, Reason::Missing);
}
