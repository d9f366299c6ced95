//! The reminder that an account ends soon (`Warning: 299`, distribution-spec §Warnings).

use std::time::Duration;

use axum::http::HeaderValue;
use berth_domain::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// How long before.
const REMINDED: u32 = 14;

/// What whoever has an account that ends within a fortnight is told.
#[must_use]
pub fn reminder(ends_at: Option<Timestamp>, now: Timestamp) -> Option<HeaderValue> {
    let left = ends_at?.since(now);
    if left > DAY * REMINDED {
        return None;
    }
    let days = left.as_secs() / DAY.as_secs();
    let when = match days {
        0 => "within a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    };
    HeaderValue::try_from(format!("299 - \"this robot account expires {when}: extend it or make another\""))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_a_fortnight_before() {
        let now = Timestamp::from_micros(1_000_000);
        let told = |days: u32| {
            let reminded = reminder(Some(now.plus(DAY * days)), now);
            reminded.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(told(15), None);
        assert!(told(14).unwrap().contains("in 14 days"));
        assert!(told(0).unwrap().starts_with("299 - \"") && told(1).unwrap().contains("in 1 day:"));
        assert_eq!(reminder(None, now), None);
    }
}
