//! What every counter of failures must prove: call [`run`] from the adapter's tests.

use std::time::Duration;

use bytes::Bytes;

use crate::{Attempts, Failures};

/// How long failures count in these cases; an adapter that cannot move its clock waits this long a few times.
const WINDOW: Duration = Duration::from_secs(2);

/// Runs every promise of the port against `attempts`, which must be empty. `pass` lets that much time pass for the adapter.
///
/// # Panics
/// If a promise is broken.
pub async fn run(attempts: &dyn Attempts, pass: impl AsyncFn(Duration)) {
    counts_by_name_until_it_forgets(attempts).await;
    takes_back_one_at_a_time(attempts).await;
    tells_how_long_ago(attempts, &pass).await;
    forgets_a_window_after_the_last(attempts, &pass).await;
}

async fn counts_by_name_until_it_forgets(attempts: &dyn Attempts) {
    let (name, other) = (Bytes::from_static(b"counted"), Bytes::from_static(b"counted too"));
    assert_eq!(attempts.failures(&name).await, Failures::default());
    for count in 1..=5 {
        assert_eq!(attempts.fail(name.clone(), WINDOW).await.count, count);
    }
    assert_eq!(attempts.fail(other.clone(), WINDOW).await.count, 1);
    assert_eq!(attempts.failures(&name).await.count, 5);
    attempts.forget(&name).await;
    attempts.forget(&Bytes::from_static(b"never seen")).await;
    assert_eq!(attempts.failures(&name).await, Failures::default());
    assert_eq!(attempts.failures(&other).await.count, 1);
    assert_eq!(attempts.fail(name, WINDOW).await.count, 1);
}

async fn takes_back_one_at_a_time(attempts: &dyn Attempts) {
    let (name, other) = (Bytes::from_static(b"taken back"), Bytes::from_static(b"not taken back"));
    for _ in 0..3 {
        attempts.fail(name.clone(), WINDOW).await;
    }
    attempts.fail(other.clone(), WINDOW).await;
    attempts.take_back(&name).await;
    assert_eq!(attempts.failures(&name).await.count, 2);
    assert_eq!(attempts.fail(name.clone(), WINDOW).await.count, 3);
    for _ in 0..5 {
        attempts.take_back(&name).await;
    }
    assert_eq!(attempts.failures(&name).await, Failures::default(), "never less than none");
    assert_eq!(attempts.fail(name, WINDOW).await.count, 1);
    assert_eq!(attempts.failures(&other).await.count, 1);
    attempts.take_back(&Bytes::from_static(b"never seen")).await;
}

async fn tells_how_long_ago(attempts: &dyn Attempts, pass: &impl AsyncFn(Duration)) {
    let name = Bytes::from_static(b"timed");
    attempts.fail(name.clone(), WINDOW).await;
    pass(WINDOW / 4).await;
    let failures = attempts.failures(&name).await;
    assert_eq!(failures.count, 1);
    assert!(failures.since_last >= WINDOW / 4, "{failures:?}");
}

async fn forgets_a_window_after_the_last(attempts: &dyn Attempts, pass: &impl AsyncFn(Duration)) {
    let name = Bytes::from_static(b"windowed");
    attempts.fail(name.clone(), WINDOW).await;
    pass(WINDOW * 3 / 4).await;
    assert_eq!(attempts.fail(name.clone(), WINDOW).await.count, 2);
    pass(WINDOW * 3 / 4).await;
    assert_eq!(attempts.failures(&name).await.count, 2, "the second one put the end off");
    pass(WINDOW / 2).await;
    assert_eq!(attempts.failures(&name).await, Failures::default());
    assert_eq!(attempts.fail(name, WINDOW).await.count, 1);
}
