//! Guessing becomes slow; owners do not.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{Instant, advance};

use super::*;

/// Counts in a map, by the time that a test lets pass. Others always come in between two questions.
#[derive(Debug, Default)]
struct Counted(Mutex<HashMap<Bytes, (u32, Instant, Duration)>>);

#[async_trait]
impl Attempts for Counted {
    async fn failures(&self, name: &Bytes) -> Failures {
        let known = self.0.lock().unwrap().get(name).copied();
        tokio::task::yield_now().await;
        match known {
            Some((count, last, window)) if last.elapsed() < window => {
                Failures { count, since_last: last.elapsed() }
            }
            _ => Failures::default(),
        }
    }

    async fn fail(&self, name: Bytes, window: Duration) -> Failures {
        let mut counts = self.0.lock().unwrap();
        let before = counts.get(&name).filter(|(_, last, window)| last.elapsed() < *window);
        let count = before.map_or(0, |(count, ..)| *count) + 1;
        counts.insert(name, (count, Instant::now(), window));
        Failures { count, since_last: Duration::ZERO }
    }

    async fn take_back(&self, name: &Bytes) {
        if let Some((count, ..)) = self.0.lock().unwrap().get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }

    async fn forget(&self, name: &Bytes) {
        self.0.lock().unwrap().remove(name);
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn guard() -> BruteForce {
    BruteForce::new(Arc::<Counted>::default(), BruteForceSettings::default())
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

async fn admit(guard: &BruteForce, account: &str, from: IpAddr) -> Result<Attempt, Held> {
    guard.admit(account, Some(from), Guess::Password).await
}

/// How long the next attempt has to wait, which finds out nothing.
async fn wait(guard: &BruteForce, account: &str, from: IpAddr) -> Duration {
    let begun = Instant::now();
    admit(guard, account, from).await.expect("nobody is locked out").came_to_nothing().await;
    begun.elapsed()
}

/// Guesses as fast as is allowed; how long that took.
async fn guess(guard: &BruteForce, account: &str, from: IpAddr, times: u32) -> Duration {
    let begun = Instant::now();
    let mut made = 0;
    while made < times {
        match admit(guard, account, from).await {
            Ok(_) => made += 1,
            Err(Held::Slow { retry_after }) => advance(retry_after).await,
            Err(Held::Busy) => panic!("nobody else is here"),
        }
    }
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_delay_doubles_up_to_a_cap() {
    let guard = guard();
    assert_eq!(guess(&guard, "admin", address(1), 4).await, Duration::ZERO, "people mistype");
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        for _ in 0..3 {
            let refused = admit(&guard, "admin", address(1)).await.unwrap_err();
            assert_eq!(refused, Held::Slow { retry_after: SECOND * seconds }, "asking again costs nothing");
        }
        guess(&guard, "admin", address(1), 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_at_once_are_as_slow_as_one_after_another() {
    let guard = guard();
    let at_once = async |times: usize| {
        let attempts =
            futures::future::join_all((0..times).map(|_| admit(&guard, "admin", address(1)))).await;
        attempts.into_iter().flatten().count()
    };
    assert_eq!(at_once(200).await, 4);
    assert_eq!(at_once(200).await, 0);
    advance(SECOND).await;
    assert_eq!(at_once(200).await, 1, "they were not counted that were not checked");
    advance(SECOND).await;
    assert_eq!(at_once(200).await, 0);
    advance(SECOND).await;
    assert_eq!(at_once(200).await, 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_forgotten_by_success_and_by_time() {
    let guard = guard();
    guess(&guard, "admin", address(1), 6).await;
    advance(4 * SECOND).await;
    admit(&guard, "admin", address(1)).await.unwrap().succeeded().await;
    wait(&guard, "admin", address(1)).await;
    guess(&guard, "admin", address(1), 10).await;
    advance(BruteForceSettings::default().window).await;
    assert_eq!(wait(&guard, "admin", address(1)).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_was_right_or_came_to_nothing_counts_for_nothing() {
    let guard = guard();
    for _ in 0..100 {
        admit(&guard, "admin", address(1)).await.unwrap().succeeded().await;
        admit(&guard, "admin", address(1)).await.unwrap().came_to_nothing().await;
    }
    assert_eq!(wait(&guard, "admin", address(1)).await, Duration::ZERO);
    assert_eq!(wait(&guard, "admin", address(2)).await, Duration::ZERO);
    assert_eq!(wait(&guard, "jane", address(1)).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_does_not_lock_the_administrator_out() {
    let guard = guard();
    for stranger in 2..=200 {
        guess(&guard, "admin", address(stranger), 5).await;
    }
    assert_eq!(wait(&guard, "admin", address(1)).await, 2 * SECOND);
    assert_eq!(wait(&guard, "jane", address(1)).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn many_accounts_from_one_address_are_slow_too_and_lock_nobody_out() {
    let guard = guard();
    let mut spent = Duration::ZERO;
    for account in 0..60 {
        spent += guess(&guard, &format!("user{account}"), address(1), 1).await;
    }
    assert!(spent > 50 * SECOND, "{spent:?}");
    assert_eq!(wait(&guard, "user1", address(1)).await, 2 * SECOND, "a neighbour waits, and gets in");
    advance(2 * SECOND).await;
    admit(&guard, "user1", address(1)).await.unwrap().succeeded().await;
    assert_eq!(wait(&guard, "user61", address(1)).await, 2 * SECOND, "an own account does not help");
    assert_eq!(wait(&guard, "user61", address(2)).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_guesses_is_slow_by_itself_only() {
    let guard = guard();
    for robot in 0..20 {
        for _ in 0..4 {
            let robot = format!("robot{robot}");
            guard.admit(&robot, Some(address(1)), Guess::Generated).await.unwrap();
        }
    }
    let again = guard.admit("robot1", Some(address(1)), Guess::Generated).await;
    assert!(matches!(again, Err(Held::Slow { .. })));
    assert_eq!(wait(&guard, "jane", address(1)).await, Duration::ZERO);
}

#[test]
fn addresses_of_one_network_are_one() {
    let parse = |text: &str| network(text.parse().unwrap());
    assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
    assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
    assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
    assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
}
