//! Durations as people write them: `24h`.

use std::time::Duration;

use super::{Form, Takes, Value};

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1000)];

impl Value for Duration {
    const FORM: Form = Form {
        takes: Takes::Either,
        ..Form::text("a duration", "a whole number with a unit, such as 500ms, 30s, 15m, 24h or 90d")
    };

    fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::ZERO);
        }
        let (number, millis) =
            UNITS.iter().find_map(|(name, millis)| Some((text.strip_suffix(name)?, *millis)))?;
        number.trim_end().parse::<u64>().ok()?.checked_mul(millis).map(Self::from_millis)
    }

    fn show(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        // A day or two read better in hours, and so on down.
        let units = [("d", 86_400_000, 3), ("h", 3_600_000, 1), ("m", 60_000, 5), ("s", 1000, 0)];
        let unit =
            units.iter().find(|(_, unit, least)| millis.is_multiple_of(*unit) && millis / unit >= *least);
        unit.map_or_else(|| format!("{millis}ms"), |(name, unit, _)| format!("{}{name}", millis / unit))
    }
}
