//! Guessing becomes slow; owners do not.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;

use super::*;

/// Counts in a map, with a clock that the test moves.
#[derive(Debug, Default)]
struct Counted {
    now: Mutex<Duration>,
    counts: Mutex<HashMap<Bytes, (u32, Duration, Duration)>>,
}

impl Counted {
    fn pass(&self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
    }

    fn read(&self, name: &Bytes) -> Failures {
        let now = *self.now.lock().unwrap();
        match self.counts.lock().unwrap().get(name) {
            Some(&(count, last, window)) if now < last + window => {
                Failures { count, since_last: now.saturating_sub(last) }
            }
            _ => Failures::default(),
        }
    }
}

#[async_trait]
impl Attempts for Counted {
    async fn failures(&self, name: &Bytes) -> Failures {
        self.read(name)
    }

    async fn fail(&self, name: Bytes, window: Duration) -> Failures {
        let count = self.read(&name).count + 1;
        let now = *self.now.lock().unwrap();
        self.counts.lock().unwrap().insert(name, (count, now, window));
        Failures { count, since_last: Duration::ZERO }
    }

    async fn forget(&self, name: &Bytes) {
        self.counts.lock().unwrap().remove(name);
    }
}

const SECOND: Duration = Duration::from_secs(1);
const GO: Admission = Admission::After(Duration::ZERO);

fn guard() -> (Arc<Counted>, BruteForce) {
    let counted = Arc::new(Counted::default());
    let guard = BruteForce::new(Arc::<Counted>::clone(&counted), BruteForceSettings::default());
    (counted, guard)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

/// Guesses as fast as is allowed; how long that took.
async fn guess(counted: &Counted, guard: &BruteForce, account: &str, from: IpAddr, times: u32) -> Duration {
    let begun = *counted.now.lock().unwrap();
    let mut made = 0;
    while made < times {
        match guard.admit(account, Some(from)).await {
            Admission::After(wait) => {
                counted.pass(wait);
                guard.failed(account, Some(from)).await;
                made += 1;
            }
            Admission::Refused { retry_after } => counted.pass(retry_after),
        }
    }
    counted.now.lock().unwrap().saturating_sub(begun)
}

#[tokio::test]
async fn the_delay_doubles_up_to_a_cap() {
    let (counted, guard) = guard();
    assert_eq!(guess(&counted, &guard, "admin", address(1), 4).await, Duration::ZERO, "people mistype");
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        let refused = guard.admit("admin", Some(address(1))).await;
        assert_eq!(refused, Admission::Refused { retry_after: SECOND * seconds });
        guess(&counted, &guard, "admin", address(1), 1).await;
    }
}

#[tokio::test]
async fn it_is_forgotten_by_success_and_by_time() {
    let (counted, guard) = guard();
    guess(&counted, &guard, "admin", address(1), 6).await;
    guard.succeeded("admin", Some(address(1))).await;
    assert!(matches!(guard.admit("admin", Some(address(1))).await, Admission::After(_)));
    guess(&counted, &guard, "admin", address(1), 10).await;
    counted.pass(BruteForceSettings::default().window);
    assert_eq!(guard.admit("admin", Some(address(1))).await, GO);
}

#[tokio::test]
async fn a_stranger_does_not_lock_the_administrator_out() {
    let (counted, guard) = guard();
    for stranger in 2..=200 {
        guess(&counted, &guard, "admin", address(stranger), 5).await;
    }
    let Admission::After(wait) = guard.admit("admin", Some(address(1))).await else { panic!("locked out") };
    assert!(wait <= 2 * SECOND, "{wait:?}");
    assert_eq!(guard.admit("jane", Some(address(1))).await, GO);
}

#[tokio::test]
async fn many_accounts_from_one_address_are_slow_too() {
    let (counted, guard) = guard();
    let mut spent = Duration::ZERO;
    for account in 0..40 {
        spent += guess(&counted, &guard, &format!("user{account}"), address(1), 1).await;
    }
    assert!(spent > 60 * SECOND, "{spent:?}");
    guard.succeeded("user1", Some(address(1))).await;
    assert!(
        matches!(guard.admit("user41", Some(address(1))).await, Admission::Refused { .. }),
        "an own account does not help"
    );
    assert_eq!(guard.admit("user41", Some(address(2))).await, GO);
}

#[test]
fn addresses_of_one_network_are_one() {
    let parse = |text: &str| network(text.parse().unwrap());
    assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
    assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
    assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
    assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
}
