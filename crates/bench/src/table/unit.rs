//! What a figure counts.

use crate::scale::grouped;

/// The unit of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Billions of bytes a second.
    GigabytesPerSecond,
    /// Requests, ranges or images a second.
    PerSecond,
    /// Thousandths of a second.
    Milliseconds,
    /// Memory.
    Mebibytes,
    /// Millions of bytes of a file.
    Megabytes,
}

impl Unit {
    /// A value with its unit.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::GigabytesPerSecond => format!("{value:.2} GB/s"),
            Self::PerSecond => format!("{}/s", whole(value)),
            Self::Milliseconds if value < 10.0 => format!("{value:.2} ms"),
            Self::Milliseconds => format!("{value:.0} ms"),
            Self::Mebibytes => format!("{value:.0} MiB"),
            Self::Megabytes => format!("{value:.1} MB"),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive and below 2^63"
)]
fn whole(value: f64) -> String {
    grouped(value.round() as u64)
}
