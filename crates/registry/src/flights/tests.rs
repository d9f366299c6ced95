//! One question for all, and whom its answer reaches.

use std::sync::atomic::{AtomicUsize, Ordering};

use berth_cache::Kind;
use berth_cache_memory::{Lifetimes, MemoryCache};
use berth_domain::Clock;
use berth_testkit::TestClock;
use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};

use super::*;

type Told = Result<Option<u8>, DatabaseError>;

/// A database whose answers the test gives, one a question.
struct Scene {
    clock: Arc<TestClock>,
    cache: Arc<dyn Cache>,
    flights: Arc<Flights<u8>>,
    asked: Arc<AtomicUsize>,
    questions: mpsc::UnboundedReceiver<oneshot::Sender<Told>>,
    ask: mpsc::UnboundedSender<oneshot::Sender<Told>>,
}

fn key() -> Key {
    Key { kind: Kind::Tag, scope: 1, name: Bytes::from_static(b"latest") }
}

impl Scene {
    fn new() -> Self {
        Self::believing(Lifetimes::default())
    }

    fn believing(lifetimes: Lifetimes) -> Self {
        let clock = TestClock::new();
        let given = Arc::clone(&clock) as Arc<dyn Clock>;
        let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(1 << 20, lifetimes, given));
        let flights = Arc::new(Flights::new(&cache, &Outage::default()));
        let (ask, questions) = mpsc::unbounded_channel();
        Self { clock, cache, flights, asked: Arc::default(), questions, ask }
    }

    /// Somebody who wants to know.
    fn look_up(&self) -> impl Future<Output = Told> + Send + 'static + use<> {
        let (flights, cache) = (Arc::clone(&self.flights), Arc::clone(&self.cache));
        let (asked, ask) = (Arc::clone(&self.asked), self.ask.clone());
        async move {
            let question = |stamp| {
                let (cache, asked, ask) = (Arc::clone(&cache), Arc::clone(&asked), ask.clone());
                async move {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let (tell, told) = oneshot::channel();
                    ask.send(tell).expect("the test listens");
                    let found = told.await.expect("the test answers")?;
                    if let Some(found) = found {
                        cache.put(key(), Bytes::copy_from_slice(&[found]), stamp).await;
                    }
                    Ok(found)
                }
            };
            flights.look_up(&key(), |value| value.first().copied(), question).await
        }
    }

    /// The next question that is asked.
    async fn question(&mut self) -> oneshot::Sender<Told> {
        self.questions.recv().await.expect("somebody asks")
    }

    async fn remembered(&self) -> Option<u8> {
        self.cache.get(&key()).await.and_then(|value| value.first().copied())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn out(&self) -> usize {
        lock(&self.flights.out).entries.len()
    }
}

fn answer(question: oneshot::Sender<Told>, told: Told) {
    question.send(told).expect("somebody waits");
}

#[tokio::test]
async fn many_who_want_to_know_the_same_ask_once() {
    let mut scene = Scene::new();
    let waiting: Vec<_> = (0..100).map(|_| tokio::spawn(scene.look_up())).collect();
    answer(scene.question().await, Ok(Some(7)));
    for told in join_all(waiting).await {
        assert_eq!(told.unwrap().unwrap(), Some(7));
    }
    assert_eq!((scene.asked(), scene.out()), (1, 0));
    assert_eq!(scene.look_up().await.unwrap(), Some(7));
    assert_eq!(scene.asked(), 1, "memory answers");
}

/// What is not believed, and that there is nothing, may have changed since it was asked.
#[tokio::test]
async fn who_came_later_shares_the_next_answer_where_none_is_believed() {
    let unbelieving = Lifetimes { tag: std::time::Duration::ZERO, ..Lifetimes::default() };
    for (mut scene, found) in [(Scene::new(), None), (Scene::believing(unbelieving), Some(1))] {
        let first = tokio::spawn(scene.look_up());
        let question = scene.question().await;
        let mut late: Vec<_> = (0..100).map(|_| Box::pin(scene.look_up())).collect();
        for one in &mut late {
            assert!(futures::poll!(one).is_pending());
        }
        let late: Vec<_> = late.into_iter().map(tokio::spawn).collect();
        answer(question, Ok(found));
        assert_eq!(first.await.unwrap().unwrap(), found);
        answer(scene.question().await, Ok(Some(2)));
        for told in join_all(late).await {
            assert_eq!(told.unwrap().unwrap(), Some(2));
        }
        assert_eq!((scene.asked(), scene.out()), (2, 0));
    }
}

#[tokio::test]
async fn whoever_asked_may_go_away() {
    let mut scene = Scene::new();
    let mut first = Box::pin(scene.look_up());
    assert!(futures::poll!(&mut first).is_pending());
    let question = scene.question().await;
    let second = tokio::spawn(scene.look_up());
    tokio::task::yield_now().await;
    drop(first);
    answer(question, Ok(Some(7)));
    assert_eq!(second.await.unwrap().unwrap(), Some(7));
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_ends() {
    let mut scene = Scene::new();
    let mut only = Box::pin(scene.look_up());
    assert!(futures::poll!(&mut only).is_pending());
    let question = scene.question().await;
    drop(only);
    assert_eq!((question.is_closed(), scene.out()), (true, 0));
    let mut begun = Box::pin(scene.look_up());
    assert!(futures::poll!(&mut begun).is_pending());
    assert_eq!(scene.asked(), 2, "the next one asks anew");
}

#[tokio::test]
async fn an_error_is_told_to_all_and_asked_again_by_the_next() {
    let mut scene = Scene::new();
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(scene.look_up())).collect();
    answer(scene.question().await, Err(DatabaseError::Full("no room".into())));
    for told in join_all(waiting).await {
        let Err(error @ DatabaseError::Full(_)) = told.unwrap() else { panic!("an error of that kind") };
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("no room"));
    }
    let next = tokio::spawn(scene.look_up());
    answer(scene.question().await, Ok(None));
    assert_eq!(next.await.unwrap().unwrap(), None);
    assert_eq!((scene.asked(), scene.out()), (2, 0));
}

#[tokio::test]
async fn what_was_asked_before_a_change_tells_nobody_who_came_after_it() {
    let mut scene = Scene::new();
    let before = tokio::spawn(scene.look_up());
    let old = scene.question().await;
    scene.cache.invalidate(&[key()]).await;
    let after: Vec<_> = (0..3).map(|_| tokio::spawn(scene.look_up())).collect();
    let new = scene.question().await;
    answer(old, Ok(Some(1)));
    assert_eq!(before.await.unwrap().unwrap(), Some(1));
    assert_eq!((scene.remembered().await, scene.out()), (None, 1), "the later question is still out");
    answer(new, Ok(Some(2)));
    for told in join_all(after).await {
        assert_eq!(told.unwrap().unwrap(), Some(2));
    }
    assert_eq!((scene.asked(), scene.remembered().await, scene.out()), (2, Some(2), 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_late_counts() {
    let mut scene = Scene::new();
    let first = tokio::spawn(scene.look_up());
    answer(scene.question().await, Ok(Some(1)));
    assert_eq!(first.await.unwrap().unwrap(), Some(1));
    scene.clock.advance(Lifetimes::default().tag);
    // Each waits as long as a pull does, and goes on with what was known.
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(scene.look_up())).collect();
    let late = scene.question().await;
    for told in join_all(waiting).await {
        assert_eq!(told.unwrap().unwrap(), Some(1));
    }
    // A moment later one asks again: the question that is out is theirs too.
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let again = tokio::spawn(scene.look_up());
    assert_eq!(again.await.unwrap().unwrap(), Some(1));
    assert_eq!((scene.asked(), scene.out()), (2, 1));
    answer(late, Ok(Some(2)));
    while scene.out() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.remembered().await, Some(2));
    assert_eq!((scene.look_up().await.unwrap(), scene.asked()), (Some(2), 2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_while_the_database_does_not_answer() {
    let mut scene = Scene::new();
    let first = tokio::spawn(scene.look_up());
    answer(scene.question().await, Ok(Some(1)));
    assert_eq!(first.await.unwrap().unwrap(), Some(1));
    scene.clock.advance(Lifetimes::default().tag);
    let second = tokio::spawn(scene.look_up());
    answer(scene.question().await, Err(DatabaseError::Unavailable("gone".into())));
    assert_eq!(second.await.unwrap().unwrap(), Some(1));
    assert_eq!(scene.look_up().await.unwrap(), Some(1));
    assert_eq!((scene.asked(), scene.out()), (2, 0));
}
