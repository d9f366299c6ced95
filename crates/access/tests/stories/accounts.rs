//! Who gets in, and what they may do then.

use std::time::Duration;

use berth_access::authenticator::{Credentials, Purpose};
use berth_access::password::HarborHash;
use berth_access::{Denied, LoginError, Reason, Secret, first_start};
use berth_domain::{Action, GroupType, MemberEntity, RobotId, RoleId, SystemEntropy, UserId};
use berth_metadata::CatalogScope;
use berth_metadata::robot::RobotChange;
use berth_metadata::user::Added;

use crate::house::{House, PASSWORD, anonymous};

#[tokio::test]
async fn the_first_administrator_is_made_once_and_may_do_everything() {
    let house = House::new();
    let one = house.replica().await;
    assert!(first_start::needs_admin(one.metadata.as_ref()).await.unwrap());
    one.admin().await;
    let again = Secret::new("An0ther password");
    let metadata = one.metadata.as_ref();
    let made = first_start::ensure_admin(metadata, &one.passwords, one.clock.as_ref(), again.clone());
    assert!(!made.await.unwrap());
    let admin = one.log_in("admin", PASSWORD).await.unwrap();
    assert_eq!(admin.actor.id, UserId::ADMIN.0);
    one.may(&admin, "nowhere/image", Action::Push).await.unwrap();
    assert_eq!(one.access.visible(&admin).await.unwrap(), CatalogScope::All);

    house.pass(Duration::from_secs(1));
    let reset = first_start::reset_admin_password(metadata, &one.passwords, one.clock.as_ref(), again);
    assert!(reset.await.unwrap());
    house.pass(Duration::from_secs(5));
    assert!(matches!(one.log_in("admin", PASSWORD).await, Err(LoginError::Wrong)));
    one.log_in("admin", "An0ther password").await.unwrap();
    assert_eq!(one.may(&admin, "library/image", Action::Push).await.unwrap_err().reason, Reason::Revoked);
}

#[tokio::test]
async fn members_do_what_their_roles_say_directly_and_by_group() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let project = one.project("team", false).await;
    let (jane, joe) = (one.user("jane").await, one.user("joe").await);
    one.user("stranger").await;
    one.member(project, MemberEntity::User(jane), RoleId::DEVELOPER).await;
    let mut tx = one.begin().await;
    let group = tx.add_group(GroupType::Oidc, "guests", "", one.now()).await.unwrap();
    let Added::Added(group) = group else { panic!("the group exists") };
    tx.set_groups_of(joe, &[group]).await.unwrap();
    tx.commit().await.unwrap();
    one.member(project, MemberEntity::Group(group), RoleId::GUEST).await;

    let [jane, joe, stranger] = [
        one.log_in("jane", PASSWORD).await.unwrap(),
        one.log_in("joe", PASSWORD).await.unwrap(),
        one.log_in("stranger", PASSWORD).await.unwrap(),
    ];
    for (who, pull, push) in [(&jane, true, true), (&joe, true, false), (&stranger, false, false)] {
        assert_eq!(one.may(who, "team/image", Action::Pull).await.is_ok(), pull, "{}", who.actor.name);
        assert_eq!(one.may(who, "team/image", Action::Push).await.is_ok(), push, "{}", who.actor.name);
        one.may(who, "library/image", Action::Pull).await.unwrap();
    }
    let denied = one.may(&stranger, "team/image", Action::Pull).await.unwrap_err();
    let missing = one.may(&stranger, "missing/image", Action::Pull).await.unwrap_err();
    assert_eq!(denied.reason, Reason::Missing);
    let denied = Denied { repository: missing.repository.clone(), ..denied };
    assert_eq!(denied, missing, "a private project is not to be told from none");
    let nobody = one.may(&anonymous(), "team/image", Action::Pull).await.unwrap_err();
    assert_eq!((nobody.reason, nobody.anonymous), (Reason::Anonymous, true));
    one.may(&anonymous(), "library/image", Action::Pull).await.unwrap();
    assert!(one.may(&anonymous(), "library/image", Action::Push).await.is_err());

    let visible = one.access.visible(&joe).await.unwrap();
    assert_eq!(visible, CatalogScope::PublicAnd(vec![project]));
    assert_eq!(one.access.visible(&stranger).await.unwrap(), CatalogScope::PublicAnd(vec![]));
    assert_eq!(one.access.visible(&anonymous()).await.unwrap(), CatalogScope::PublicAnd(vec![]));
}

#[tokio::test]
async fn people_log_in_by_name_or_by_address() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let jane = one.user("jane").await;
    for purpose in [Purpose::Registry, Purpose::Api] {
        let (login, secret, request_id) = ("jane@example.org", &Secret::new(PASSWORD), "request");
        let shown = Credentials { login, secret, purpose, address: None, request_id };
        let caller = one.authenticator.basic(&shown).await.unwrap();
        assert_eq!((caller.actor.name.as_str(), caller.actor.id), ("jane", jane.0), "{purpose:?}");
        let session = one.authenticator.log_in(&shown).await.unwrap();
        assert_eq!(session.caller.actor.name, "jane");
    }
    for nobody in ["joe@example.org", "@", "Jane@example.org"] {
        assert!(matches!(one.log_in(nobody, PASSWORD).await, Err(LoginError::Wrong)), "{nobody}");
    }
}

#[tokio::test]
async fn a_robot_does_what_it_was_given_until_it_ends() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let project = one.project("team", false).await;
    let (id, secret) = one.robot(project, "ci", &[Action::Pull]).await;
    let robot = one.log_in("robot$team+ci", secret.reveal()).await.unwrap();
    assert_eq!(robot.actor.name, "robot$team+ci");
    one.may(&robot, "team/image", Action::Pull).await.unwrap();
    assert!(one.may(&robot, "team/image", Action::Push).await.is_err());
    assert!(one.may(&robot, "other/image", Action::Pull).await.is_err());
    assert_eq!(one.access.visible(&robot).await.unwrap(), CatalogScope::PublicAnd(vec![project]));
    for (login, wrong) in
        [("robot$team+ci", "Wrong0000"), ("robot$ci", secret.reveal()), ("robot$team+no", "x")]
    {
        assert!(matches!(one.log_in(login, wrong).await, Err(LoginError::Wrong)), "{login}");
    }

    one.authenticator.flush_uses().await.unwrap();
    let kept = one.metadata.robot(id).await.unwrap().unwrap().robot;
    assert_eq!(kept.last_used_at, Some(one.now()));

    house.pass(Duration::from_hours(24 * 30));
    assert!(matches!(one.log_in("robot$team+ci", secret.reveal()).await, Err(LoginError::Wrong)));
    assert_eq!(one.may(&robot, "team/image", Action::Pull).await.unwrap_err().reason, Reason::Revoked);
}

#[tokio::test]
async fn a_robot_that_is_switched_off_is_out_at_once_where_it_happened() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let project = one.project("team", false).await;
    let chosen = one.passwords.hash(Secret::new("Chosen0Secret")).await.unwrap();
    let id = one.robot_with(project, "ci", &[Action::Pull], chosen.as_str().to_owned()).await;
    let robot = one.log_in("robot$team+ci", "Chosen0Secret").await.unwrap();
    one.may(&robot, "team/image", Action::Pull).await.unwrap();

    house.pass(Duration::from_micros(1));
    let grants = one.metadata.robot(id).await.unwrap().unwrap().robot.grants;
    let change = RobotChange { description: String::new(), duration: None, disabled: true, grants };
    let mut tx = one.begin().await;
    assert!(tx.change_robot(id, &change, one.now()).await.unwrap());
    tx.commit().await.unwrap();
    one.authority.forget(berth_domain::ActorKind::Robot, id.0).await;
    assert_eq!(one.may(&robot, "team/image", Action::Pull).await.unwrap_err().reason, Reason::Revoked);
    assert!(matches!(one.log_in("robot$team+ci", "Chosen0Secret").await, Err(LoginError::Wrong)));
    assert_eq!(one.metadata.robot(RobotId(id.0 + 1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_cli_secret_opens_the_registry_only() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let jane = one.user("jane").await;
    let generated = berth_access::robot_secret::generate(&SystemEntropy);
    for kept in [
        one.secret_key.keep(&generated),
        one.passwords.hash(generated.clone()).await.unwrap().as_str().to_owned(),
    ] {
        house.pass(Duration::from_mins(1));
        let mut tx = one.begin().await;
        assert!(tx.set_user_cli_secret(jane, &kept, one.now()).await.unwrap());
        tx.commit().await.unwrap();
        one.log_in("jane", generated.reveal()).await.unwrap();
        one.log_in("jane", PASSWORD).await.unwrap();
        let api = one.log_in_from("jane", generated.reveal(), Purpose::Api, None).await;
        assert!(matches!(api, Err(LoginError::Wrong)), "a CLI secret is no password");
    }
}

#[tokio::test]
async fn a_password_from_harbor_is_taken_and_kept_anew() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let jane = one.user("jane").await;
    // PBKDF2-HMAC-SHA256 of "password" and "salt", 4096 rounds, as every book of test vectors has it.
    let harbors = HarborHash::new("sha256", "salt", "c5e478d59288c841aa530db6845c4c8d").unwrap();
    let stored = berth_access::password::StoredPassword::Harbor(harbors);
    let mut tx = one.begin().await;
    tx.set_user_password(jane, stored.as_str(), one.now()).await.unwrap();
    tx.commit().await.unwrap();
    one.log_in("jane", "password").await.unwrap();
    let mut kept = stored.as_str().to_owned();
    while !kept.starts_with("$argon2id$") {
        tokio::task::yield_now().await;
        kept = one.metadata.user_credentials("jane").await.unwrap().unwrap().password.unwrap();
    }
    house.pass(Duration::from_mins(2));
    one.log_in("jane", "password").await.unwrap();
}

#[tokio::test]
async fn guessing_becomes_slow_for_the_guesser_only() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    one.user("jane").await;
    let guesser = Some("192.0.2.1".parse().unwrap());
    let owner = Some("198.51.100.1".parse().unwrap());
    for guess in 0..4 {
        let wrong = one.log_in_from("jane", &format!("guess{guess}"), Purpose::Api, guesser).await;
        assert!(matches!(wrong, Err(LoginError::Wrong)), "{guess}");
    }
    let slow = one.log_in_from("jane", PASSWORD, Purpose::Api, guesser).await;
    assert!(matches!(slow, Err(LoginError::Slow { .. })));
    house.pass(Duration::from_secs(2));
    one.log_in_from("jane", PASSWORD, Purpose::Api, owner).await.unwrap();
    one.log_in_from("jane", PASSWORD, Purpose::Api, guesser).await.unwrap();
}

#[tokio::test]
async fn a_session_begins_lives_on_and_ends() {
    let house = House::new();
    let (one, two) = (house.replica().await, house.replica().await);
    one.admin().await;
    let jane = one.user("jane").await;
    let password = Secret::new(PASSWORD);
    let shown = Credentials {
        login: "jane",
        secret: &password,
        purpose: Purpose::Api,
        address: None,
        request_id: "request",
    };
    let first = one.authenticator.log_in(&shown).await.unwrap();
    let second = one.authenticator.log_in(&shown).await.unwrap();
    assert_ne!(first.cookie, second.cookie);
    let token = one.authenticator.csrf(&first.cookie);
    assert!(two.authenticator.verify_csrf(&first.cookie, &token), "all replicas have one key");
    let session = async |replica: &crate::house::Replica, cookie: &Secret| {
        replica.authenticator.session(cookie, None, "request".to_owned()).await
    };
    assert_eq!(session(&two, &first.cookie).await.unwrap().actor.id, jane.0);
    house.pass(Duration::from_mins(40));
    session(&two, &first.cookie).await.unwrap();
    house.pass(Duration::from_mins(40));
    session(&one, &first.cookie).await.unwrap();
    assert!(matches!(session(&one, &second.cookie).await, Err(LoginError::Revoked)), "it was not used");
    one.authenticator.prune_sessions().await.unwrap();

    one.authenticator.log_out(&first.cookie).await.unwrap();
    assert!(matches!(session(&one, &first.cookie).await, Err(LoginError::Revoked)));
    house.pass(Duration::from_secs(5));
    assert!(matches!(session(&two, &first.cookie).await, Err(LoginError::Revoked)));
    for broken in ["", "x", &"0".repeat(64)] {
        assert!(session(&one, &Secret::new(broken)).await.is_err());
    }

    let third = one.authenticator.log_in(&shown).await.unwrap();
    house.pass(Duration::from_secs(1));
    one.set_password(jane, "An0ther password").await;
    house.pass(Duration::from_secs(5));
    assert!(matches!(session(&one, &third.cookie).await, Err(LoginError::Revoked)));
}

#[tokio::test]
async fn a_fleet_with_one_secret_costs_one_check_and_a_guess_tells_nothing_of_names() {
    /// More than may wait for a hash each: if they did not share one, some would be told to come again.
    const FLEET: usize = 300;
    for (name, secret, is_right) in
        [("jane", PASSWORD, true), ("jane", "An0ther password", false), ("nobody", "An0ther password", false)]
    {
        // A house of its own, because failures slow down whoever comes from the same address.
        let house = House::new();
        let one = house.replica().await;
        one.user("jane").await;
        let outcomes = futures::future::join_all((0..FLEET).map(|_| one.log_in(name, secret))).await;
        for outcome in outcomes {
            match outcome {
                Ok(caller) if is_right => assert_eq!(caller.actor.name, name),
                Err(LoginError::Wrong) if !is_right => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
