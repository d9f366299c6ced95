//! A database that is slow still says what is so; one that is silent or gone is bridged; and no clock makes anything younger.

use std::collections::VecDeque;

use berth_cache_memory::{Lifetimes, MemoryCache};
use berth_testkit::TestClock;
use tokio::time::sleep;

use super::*;
use crate::changes;

/// What the database says next, and after how long.
type Script = Arc<Mutex<VecDeque<(Duration, Result<&'static str, ()>)>>>;

struct Bench {
    clock: Arc<TestClock>,
    script: Script,
    around: Around,
    believed: Believed<(), &'static str>,
}

const SECOND: Duration = Duration::from_secs(1);
const NEVER: Duration = Duration::from_hours(1);

/// Something is known, and no longer believed without a question.
async fn bench(next: impl IntoIterator<Item = (Duration, Result<&'static str, ()>)>) -> Bench {
    let clock = TestClock::new();
    let script: Script = Arc::default();
    script.lock().unwrap().push_back((Duration::ZERO, Ok("known")));
    script.lock().unwrap().extend(next);
    let read = Arc::clone(&script);
    let cache = MemoryCache::new(1 << 10, Lifetimes::default(), Arc::<TestClock>::clone(&clock));
    let around =
        Around { clock: Arc::<TestClock>::clone(&clock), cache: Arc::new(cache), outage: Outage::default() };
    let believed = Believed::new(
        64,
        around.clone(),
        |()| vec![changes::groups()],
        move |()| {
            let (late, answer) = read.lock().unwrap().pop_front().expect("another question");
            Box::pin(async move {
                if !late.is_zero() {
                    sleep(late).await;
                }
                answer.map_err(|()| Error::Unavailable("gone".into()))
            })
        },
    );
    let bench = Bench { clock, script, around, believed };
    assert_eq!(bench.pull().await, ("known", Duration::ZERO));
    bench.clock.advance(BELIEVED);
    bench
}

impl Bench {
    /// What a pull is told, and how long it waited.
    async fn pull(&self) -> (&'static str, Duration) {
        let began = Instant::now();
        let told = self.believed.get(&(), Bridge::Pull).await.expect("an answer");
        (told, began.elapsed())
    }

    /// A key that shares no stamp with what is asked for, as two keys of a cache may.
    async fn of_another_stamp(&self) -> Key {
        for other in (0..=u8::MAX).map(|n| changes::session(&[n; 32])) {
            let before = self.around.cache.stamp(&changes::groups());
            self.around.tell(other.clone()).await;
            if self.around.cache.stands(before) {
                return other;
            }
        }
        panic!("every key has the same stamp")
    }

    fn questions_left(&self) -> usize {
        self.script.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for() {
    let bench = bench([(SECOND * 3 / 2, Ok("taken away"))]).await;
    let waiting = futures::future::join_all((0..100).map(|_| bench.pull())).await;
    assert!(waiting.iter().all(|told| *told == ("taken away", SECOND * 3 / 2)), "{waiting:?}");
    assert_eq!(bench.questions_left(), 0, "one question serves all");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_waited_for_counts() {
    let bench = bench([(8 * SECOND, Ok("taken away")), (NEVER, Ok("later"))]).await;
    assert_eq!(bench.pull().await, ("known", 5 * SECOND));
    assert_eq!(bench.pull().await, ("known", Duration::ZERO), "one waits for all");
    sleep(4 * SECOND).await;
    assert_eq!(bench.pull().await, ("taken away", 5 * SECOND), "it is old, and is asked again");
}

#[tokio::test(start_paused = true)]
async fn a_question_goes_on_without_whoever_asked() {
    let bench = bench([(SECOND, Ok("taken away"))]).await;
    assert!(futures::poll!(Box::pin(bench.pull())).is_pending());
    sleep(2 * SECOND).await;
    assert_eq!(bench.pull().await, ("taken away", Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_gone_is_bridged_at_once_and_missed_no_longer_than_it_is_gone() {
    let gone = (Duration::ZERO, Err(()));
    let bench = bench([gone, gone, (NEVER, Ok("later"))]).await;
    assert_eq!(bench.pull().await, ("known", Duration::ZERO));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(bench.pull().await, ("known", Duration::ZERO), "it is asked again meanwhile");
    sleep(Duration::from_millis(1)).await;
    let push = bench.believed.get(&(), Bridge::No);
    assert!(timeout(SECOND, push).await.is_err(), "nothing else is bridged");
    bench.script.lock().unwrap().push_back((Duration::ZERO, Ok("taken away")));
    assert_eq!(bench.pull().await, ("taken away", Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_makes_nothing_younger() {
    let bench = bench([(Duration::ZERO, Ok("second")), (Duration::ZERO, Ok("third"))]).await;
    bench.clock.set_back(Duration::from_hours(1));
    assert_eq!(bench.believed.get(&(), Bridge::No).await.expect("an answer"), "second");
    bench.clock.set_back(SECOND * 3);
    sleep(BELIEVED).await;
    bench.clock.advance(SECOND * 4);
    assert_eq!(bench.believed.get(&(), Bridge::No).await.expect("an answer"), "third", "five seconds passed");
}

#[tokio::test(start_paused = true)]
async fn what_the_cache_was_told_of_is_asked_again_at_once_and_never_bridged() {
    let bench = bench([(Duration::ZERO, Ok("second")), (Duration::ZERO, Err(()))]).await;
    bench.around.tell(changes::groups()).await;
    assert_eq!(bench.believed.known(&()), None);
    let other = bench.of_another_stamp().await;
    assert_eq!(bench.pull().await, ("second", Duration::ZERO));
    bench.around.tell(other).await;
    assert_eq!(bench.pull().await, ("second", Duration::ZERO), "nothing that it is made of changed");
    assert_eq!(bench.questions_left(), 1);
    bench.around.tell(changes::groups()).await;
    let pull = bench.believed.get(&(), Bridge::Pull).await;
    assert!(matches!(pull, Err(Error::Unavailable(_))), "what was changed is not known, whoever asks");
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_change_serves_nobody_who_comes_after_it() {
    let bench = bench([(2 * SECOND, Ok("before")), (SECOND, Ok("after"))]).await;
    let early = bench.pull();
    tokio::pin!(early);
    assert!(futures::poll!(&mut early).is_pending());
    tokio::task::yield_now().await;
    bench.around.tell(changes::groups()).await;
    assert_eq!(bench.pull().await, ("after", SECOND), "it does not wait for the question from before");
    early.await;
    assert_eq!(bench.pull().await, ("after", Duration::ZERO), "and that one's answer takes no place");
    assert_eq!(bench.questions_left(), 0);
}
