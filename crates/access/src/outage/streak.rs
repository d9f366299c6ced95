//! How long the database has said nothing to anybody who asked about rights.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::AGAIN;

/// How long the database may be silent before pulls go on with the rights that were known.
const SILENCE: Duration = Duration::from_secs(5);

/// Questions about rights that are out, and what became of the last ones. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streak {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// How many questions are out.
    out: usize,
    /// Since when nothing was answered although something was asked.
    silent_since: Option<Instant>,
    /// When a question last failed, if none was answered after it.
    failed: Option<Instant>,
}

/// A question that is out, until it is dropped. One that is given up says nothing of the database.
#[derive(Debug)]
pub(crate) struct Question {
    streak: Streak,
}

impl Streak {
    /// A question goes out now.
    pub(crate) fn ask(&self) -> Question {
        let mut state = self.state();
        if state.out == 0 && !state.has_failed_just_now() {
            // What was silent before this may be gone for long.
            state.silent_since = None;
        }
        state.silent_since.get_or_insert_with(Instant::now);
        state.out += 1;
        drop(state);
        Question { streak: self.clone() }
    }

    /// How long a pull may wait for an answer now: not at all if the database failed a moment ago or is silent.
    pub(crate) fn patience(&self) -> Duration {
        let state = self.state();
        match state.silent_since {
            _ if state.has_failed_just_now() => Duration::ZERO,
            Some(since) if state.out > 0 => SILENCE.saturating_sub(since.elapsed()),
            _ => SILENCE,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_failed_just_now(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < AGAIN)
    }
}

impl Question {
    /// The database said something.
    pub(crate) fn answered(self) {
        let mut state = self.streak.state();
        (state.silent_since, state.failed) = (Some(Instant::now()), None);
    }

    /// It cannot be reached.
    pub(crate) fn failed(self) {
        self.streak.state().failed = Some(Instant::now());
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.streak.state().out -= 1;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_answer_and_for_all() {
        let streak = Streak::default();
        let first = streak.ask();
        assert_eq!(streak.patience(), SILENCE);
        advance(3 * SECOND).await;
        let second = streak.ask();
        assert_eq!(streak.patience(), 2 * SECOND);
        first.answered();
        assert_eq!(streak.patience(), SILENCE, "it answers somebody");
        advance(6 * SECOND).await;
        assert_eq!(streak.patience(), Duration::ZERO);
        second.failed();
        assert_eq!(streak.patience(), Duration::ZERO, "it failed just now");
        let third = streak.ask();
        advance(SECOND).await;
        assert_eq!(streak.patience(), Duration::ZERO, "and is as silent as before");
        third.answered();
        assert_eq!(streak.patience(), SILENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_long_ago_says_nothing_of_now() {
        let streak = Streak::default();
        drop(streak.ask());
        assert_eq!(streak.patience(), SILENCE, "somebody gave up");
        streak.ask().failed();
        assert_eq!(streak.patience(), Duration::ZERO);
        advance(SECOND).await;
        assert_eq!(streak.patience(), SILENCE);
        advance(9 * SECOND).await;
        let _question = streak.ask();
        assert_eq!(streak.patience(), SILENCE);
    }
}
