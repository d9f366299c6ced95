//! Moments, exact to the microsecond, so that every database returns what it was given.

use std::time::Duration;

use time::{OffsetDateTime, PrimitiveDateTime};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch, as databases keep it.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment and `duration`; the end of time if that is later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// `duration` before this moment.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment as a calendar date in UTC; what is later or earlier than a year of four digits is the last or the first such moment.
    #[must_use]
    pub fn to_utc(self) -> OffsetDateTime {
        let end = if self.0 < 0 { PrimitiveDateTime::MIN } else { PrimitiveDateTime::MAX };
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000);
        moment.unwrap_or(end.assume_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_calendar_holds_is_its_end() {
        assert_eq!(Timestamp::from_micros(0).to_utc(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(Timestamp::from_micros(i64::MAX).to_utc().year(), 9999);
        assert_eq!(Timestamp::from_micros(i64::MIN).to_utc().year(), -9999);
    }
}
