//! Guessing is slow, costs others nothing, and tells nothing.

use std::net::IpAddr;
use std::time::Duration;

use berth_access::authenticator::Purpose;
use berth_access::brute_force::{BruteForceSettings, Guess};
use berth_access::robot_secret::generate;
use berth_access::{LoginError, Secret};
use berth_domain::{Action, ProjectId, RobotId, SystemEntropy};
use berth_metadata::robot::RobotChange;
use futures::future::{join, join_all};

use crate::house::{House, PASSWORD, Replica, WAITING};

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn is_slow<T>(outcome: &Result<T, LoginError>) -> bool {
    matches!(outcome, Err(LoginError::Slow { .. }))
}

fn is_wrong<T>(outcome: &Result<T, LoginError>) -> bool {
    matches!(outcome, Err(LoginError::Wrong))
}

#[tokio::test]
async fn guesses_at_once_are_as_few_as_one_after_another() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    let before = one.passwords.hashes().get();
    let guesses: Vec<_> = (0..200).map(|guess| format!("guess{guess}")).collect();
    let guess = |secret| one.log_in_from("admin", secret, Purpose::Api, Some(address(1)));
    let outcomes = join_all(guesses.iter().map(|secret| guess(secret))).await;
    assert_eq!(outcomes.iter().filter(|outcome| is_wrong(outcome)).count(), 4);
    assert_eq!(outcomes.iter().filter(|outcome| is_slow(outcome)).count(), 196);
    assert_eq!(one.passwords.hashes().get() - before, 4, "what is refused is not hashed");
    house.pass(Duration::from_secs(2));
    one.log_in_from("admin", PASSWORD, Purpose::Api, Some(address(1))).await.expect("the house works");
}

#[tokio::test]
async fn one_secret_that_many_show_at_once_is_one_failure() {
    let house = House::new();
    let one = house.replica().await;
    one.user("jane").await;
    let guess = async |secret: &str| one.log_in_from("jane", secret, Purpose::Api, Some(address(1))).await;
    let before = one.passwords.hashes().get();
    // The address has no place left until all of them are under way.
    let mut places = Vec::new();
    for other in 0..BruteForceSettings::default().address_at_once {
        places.push(
            one.brute_force.admit(&other.to_string(), Some(address(1)), Guess::Password).await.unwrap(),
        );
    }
    let mut burst: Vec<_> = (0..300).map(|_| Box::pin(guess("An0ther password"))).collect();
    for attempt in &mut burst {
        assert!(futures::poll!(attempt).is_pending());
    }
    drop(places);
    let burst = join_all(burst).await;
    assert!(burst.iter().all(is_wrong));
    assert_eq!(one.passwords.hashes().get() - before, 1);
    for other in ["second", "third", "fourth"] {
        let outcome = guess(other).await;
        assert!(is_wrong(&outcome), "{other}: {outcome:?}");
    }
    assert!(is_slow(&guess("fifth").await));
}

#[tokio::test]
async fn a_flood_from_one_address_leaves_the_hashes_to_others() {
    let house = House::new();
    let one = house.replica().await;
    one.user("jane").await;
    // More than may wait for a hash, and fewer than make an address slow.
    let flood = WAITING + 10;
    let names: Vec<_> = (0..flood).map(|guess| format!("nobody{guess}")).collect();
    let flood = names.iter().map(|name| one.log_in_from(name, "guess", Purpose::Api, Some(address(1))));
    let owner = one.log_in_from("jane", PASSWORD, Purpose::Api, Some(address(2)));
    let (flood, owner) = join(join_all(flood), owner).await;
    owner.expect("the house works");
    assert!(flood.iter().all(is_wrong), "they get their turns too");
}

#[tokio::test]
async fn one_job_with_an_old_secret_shuts_nobody_out() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    one.user("jane").await;
    let project = one.project("team", false).await;
    let (_, old) = one.robot(project, "old", &[Action::Pull]).await;
    let (_, other) = one.robot(project, "other", &[Action::Pull]).await;
    let ingress = Some(address(1));
    let from =
        async |login: &str, secret: &str| one.log_in_from(login, secret, Purpose::Registry, ingress).await;
    let mut slow = 0;
    for _ in 0..50 {
        let guess = from("robot$team+old", generate(&SystemEntropy).reveal()).await;
        assert!(is_wrong(&guess) || is_slow(&guess), "{guess:?}");
        slow += usize::from(is_slow(&guess));
    }
    assert!(slow > 40, "{slow}");
    from("robot$team+other", other.reveal()).await.expect("the house works");
    from("robot$team+old", old.reveal()).await.expect("the house works");
    from("jane", PASSWORD).await.expect("the house works");

    // Passwords count against the address, which costs its other people a moment and no more.
    for account in 0..50 {
        house.pass(Duration::from_secs(2));
        assert!(is_wrong(&from(&format!("user{account}"), "guess").await), "{account}");
    }
    house.pass(Duration::from_secs(2));
    from("jane", PASSWORD).await.expect("the house works");
    from("robot$team+other", other.reveal()).await.expect("the house works");
}

/// What a wrong log-in cost: hashes and look-ups.
async fn cost(house: &House, one: &Replica, login: &str, secret: &Secret, purpose: Purpose) -> (u64, u64) {
    // From where nobody failed before, and so late that nothing waits.
    house.pass(Duration::from_mins(16));
    let counted = || (one.passwords.hashes().get(), one.authenticator.log_ins().looked_up.get());
    let before = counted();
    let outcome = one.log_in_from(login, secret.reveal(), purpose, None).await;
    assert!(is_wrong(&outcome), "{login}: {outcome:?}");
    let after = counted();
    (after.0 - before.0, after.1 - before.1)
}

async fn cli_secret(one: &Replica, name: &str, kept: &str) {
    let user = one.user(name).await;
    let mut tx = one.begin().await;
    assert!(tx.set_user_cli_secret(user, kept, one.now()).await.expect("the house works"));
    tx.commit().await.expect("the house works");
}

async fn switch_off(one: &Replica, robot: RobotId) {
    let change =
        RobotChange { description: String::new(), duration: None, disabled: true, grants: Vec::new() };
    let mut tx = one.begin().await;
    assert!(tx.change_robot(robot, &change, one.now()).await.expect("the house works"));
    tx.commit().await.expect("the house works");
}

/// Robots of each kind; the secrets of those that are switched off: generated, chosen.
async fn robots(one: &Replica, project: ProjectId) -> [Secret; 2] {
    let chosen = Secret::new("Chosen0Secret");
    let kept = one.passwords.hash(chosen.clone()).await.expect("the house works").as_str().to_owned();
    one.robot(project, "generated", &[Action::Pull]).await;
    one.robot_with(project, "chosen", &[Action::Pull], kept.clone()).await;
    let (off, generated) = one.robot(project, "off", &[Action::Pull]).await;
    let chosen_off = one.robot_with(project, "chosen-off", &[Action::Pull], kept).await;
    for robot in [off, chosen_off] {
        switch_off(one, robot).await;
    }
    [generated, chosen]
}

#[tokio::test]
async fn whatever_is_wrong_it_costs_the_same() {
    let house = House::new();
    let one = house.replica().await;
    one.admin().await;
    one.user("plain").await;
    let generated = generate(&SystemEntropy);
    cli_secret(&one, "generated-cli", &one.secret_key.keep(&generated)).await;
    let chosen = one.passwords.hash(Secret::new("Chosen0Secret")).await.expect("the house works");
    cli_secret(&one, "chosen-cli", chosen.as_str()).await;
    let project = one.project("team", false).await;
    let [off, chosen_off] = robots(&one, project).await;

    let people = ["nobody", "plain", "generated-cli", "chosen-cli"];
    let machines = ["nobody", "generated", "chosen", "off", "chosen-off"];
    let machines = machines.map(|name| format!("robot$team+{name}"));
    for (purpose, hashes) in [(Purpose::Registry, 2), (Purpose::Api, 1)] {
        for wrong in [Secret::new("Wr0ng password"), generate(&SystemEntropy)] {
            for login in people {
                let cost = cost(&house, &one, login, &wrong, purpose).await;
                assert_eq!(cost, (hashes, 1), "{login} for {purpose:?}");
            }
            for login in &machines {
                let cost = cost(&house, &one, login, &wrong, purpose).await;
                assert_eq!(cost, (hashes, 2), "{login} for {purpose:?}");
            }
        }
        for (login, secret) in [("off", &off), ("chosen-off", &chosen_off)] {
            let cost = cost(&house, &one, &format!("robot$team+{login}"), secret, purpose).await;
            assert_eq!(cost, (hashes, 2), "{login} for {purpose:?}");
        }
    }
    let cost = cost(&house, &one, "generated-cli", &generated, Purpose::Api).await;
    assert_eq!(cost, (1, 1), "a CLI secret where it is none");
}
