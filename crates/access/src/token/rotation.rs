//! When a signing key is replaced, so that no token dies of it and no replica meets a key that it does not know.
//!
//! A new key is published first and signs only after a lead, in which every replica reads it. The key before it is believed
//! until the last token that it signed has ended. So at most two are valid at a time.

use std::time::Duration;

use berth_domain::Timestamp;

use super::CLOCK_SKEW;

/// The schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long one key signs.
    pub period: Duration,
    /// How long a key is published before it signs; longer than replicas go without reading the keys.
    pub lead: Duration,
    /// How long a token lives.
    pub token_lifetime: Duration,
}

/// What is to be done to the keys now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotationPlan {
    /// A new key is to be made, to sign from then on.
    pub create: Option<Timestamp>,
    /// These have signed nothing that still lives.
    pub remove: Vec<String>,
}

impl Rotation {
    /// What is due, given the names of the keys and when each begins to sign. `by_command` asks for a new key before its time;
    /// it has to wait while two are valid.
    #[must_use]
    pub fn plan(&self, keys: &[(String, Timestamp)], now: Timestamp, by_command: bool) -> RotationPlan {
        let mut ordered: Vec<_> = keys.iter().collect();
        ordered.sort_by(|(a_kid, a), (b_kid, b)| (a, a_kid).cmp(&(b, b_kid)));
        let over = |successor: Timestamp| successor.plus(self.token_lifetime + CLOCK_SKEW) <= now;
        let superseded = ordered.windows(2).filter(|pair| over(pair[1].1));
        let remove: Vec<_> = superseded.map(|pair| pair[0].0.clone()).collect();
        let create = match ordered.last() {
            None => Some(now),
            Some((_, newest)) => {
                let due = by_command || newest.plus(self.period) <= now;
                (due && ordered.len() - remove.len() < 2).then(|| now.plus(self.lead))
            }
        };
        RotationPlan { create, remove }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATION: Rotation = Rotation {
        period: Duration::from_hours(24),
        lead: Duration::from_mins(5),
        token_lifetime: Duration::from_mins(30),
    };

    fn after(minutes: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_mins(minutes))
    }

    fn key(kid: &str, signs_from: Timestamp) -> (String, Timestamp) {
        (kid.to_owned(), signs_from)
    }

    fn plan(
        keys: &[(String, Timestamp)],
        minutes: u64,
        by_command: bool,
    ) -> (Option<Timestamp>, Vec<String>) {
        let plan = ROTATION.plan(keys, after(minutes), by_command);
        (plan.create, plan.remove)
    }

    #[test]
    fn a_life_of_two_keys() {
        assert_eq!(plan(&[], 0, false), (Some(after(0)), vec![]));
        let mut keys = vec![key("a", after(0))];
        assert_eq!(plan(&keys, 24 * 60 - 1, false), (None, vec![]));
        assert_eq!(plan(&keys, 24 * 60, false), (Some(after(24 * 60 + 5)), vec![]));
        keys.insert(0, key("b", after(24 * 60 + 5)));
        assert_eq!(
            plan(&keys, 24 * 60 + 5 + 30, false),
            (None, vec![]),
            "a token of a's last second may live"
        );
        assert_eq!(plan(&keys, 24 * 60 + 5 + 31, false), (None, vec!["a".to_owned()]));
    }

    #[test]
    fn by_command_it_is_early_but_never_a_third() {
        let one = [key("a", after(0))];
        assert_eq!(plan(&one, 10, true), (Some(after(15)), vec![]));
        let two = [key("a", after(0)), key("b", after(15))];
        assert_eq!(plan(&two, 20, true), (None, vec![]));
        assert_eq!(plan(&two, 60, true), (Some(after(65)), vec!["a".to_owned()]));
    }
}
