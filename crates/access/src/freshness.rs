//! How long what was read about a subject may be believed.
//!
//! Every change takes effect within five seconds, on every replica, without a read of the database on each request: what is in
//! use is read again in the background before it is too old. If the database cannot be reached, pulls go on for a minute with
//! what was known; nothing else does.

use std::time::Duration;

/// Believed without a question.
pub const BELIEVED: Duration = Duration::from_secs(5);
/// From here on, whoever uses it has it read again in the background.
pub const REFRESHED: Duration = Duration::from_secs(3);
/// Believed for pulls while the database cannot be reached.
pub const BRIDGED: Duration = Duration::from_mins(1);

/// What to do with something that was read a while ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, and read it again in the background.
    Ageing,
    /// Read it again first; if the database does not answer, use it for a pull.
    Bridge,
    /// Read it again; without an answer, refuse.
    Gone,
}

/// What to do with something of that age.
#[must_use]
pub fn freshness(age: Duration) -> Freshness {
    match age {
        _ if age < REFRESHED => Freshness::Fresh,
        _ if age < BELIEVED => Freshness::Ageing,
        _ if age < BRIDGED => Freshness::Bridge,
        _ => Freshness::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_believed_after_five_seconds_without_a_question() {
        for (millis, expected) in [
            (0, Freshness::Fresh),
            (2_999, Freshness::Fresh),
            (3_000, Freshness::Ageing),
            (4_999, Freshness::Ageing),
            (5_000, Freshness::Bridge),
            (59_999, Freshness::Bridge),
            (60_000, Freshness::Gone),
        ] {
            assert_eq!(freshness(Duration::from_millis(millis)), expected, "{millis}");
        }
    }
}
