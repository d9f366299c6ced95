//! Times as Harbor writes them: RFC 3339, UTC, milliseconds.

use berth_domain::Timestamp;

/// `2022-04-23T08:04:08.901Z`. What is finer than a millisecond is cut off.
#[must_use]
pub fn time(moment: Timestamp) -> String {
    let utc = moment.to_utc();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        utc.year(),
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second(),
        utc.millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_there() {
        assert_eq!(time(Timestamp::from_micros(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(Timestamp::from_micros(1_650_701_048_901_999)), "2022-04-23T08:04:08.901Z");
    }
}
