//! Sizes as people write them: `64MiB`.

use super::{Form, Takes, Value};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

const UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

impl Size {
    /// That many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// How many bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// How many bytes, where memory counts them.
    #[must_use]
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Value for Size {
    const FORM: Form = Form {
        takes: Takes::Either,
        ..Form::text(
            "a size",
            "a whole number with a unit, such as 512KiB, 64MiB or 2GiB, or without one for bytes",
        )
    };

    fn parse(text: &str) -> Option<Self> {
        let unit = UNITS.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)));
        let (number, bytes) = unit.unwrap_or_else(|| (text.strip_suffix('B').unwrap_or(text), 1));
        number.trim_end().parse::<u64>().ok()?.checked_mul(bytes).map(Self)
    }

    fn show(&self) -> String {
        let unit = UNITS[..4].iter().find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        unit.map_or_else(|| self.0.to_string(), |(name, bytes)| format!("{}{name}", self.0 / bytes))
    }
}
