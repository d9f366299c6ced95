//! What Berth wants to reach, and whether a row says that it did.

use super::{Row, Unit};
use crate::contestant::berth;

/// A goal for the figure of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At least this many times the fastest peer.
    Fastest(f64),
    /// At least this many times that peer, where it takes part.
    Times(f64, &'static str),
    /// At least this many times what the machine itself allows.
    Bound(f64),
    /// At most this, in the row's unit.
    AtMost(f64),
    /// At least this, in the row's unit.
    AtLeast(f64),
    /// Hoped for: at least this, in the row's unit.
    Aim(f64),
    /// At most this many times the CPU seconds of the thriftiest peer.
    Thrift(f64),
}

/// How a goal came out.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The ratio and what it is to, for goals that are ratios.
    pub(crate) ratio: Option<String>,
    /// Whether it was reached; `None` when something needed was not measured.
    pub(crate) reached: Option<bool>,
}

impl Goal {
    /// Whether it is about CPU seconds.
    pub(crate) fn is_thrift(self) -> bool {
        matches!(self, Self::Thrift(_))
    }

    /// The goal in words.
    pub(crate) fn words(self, unit: Unit) -> String {
        match self {
            Self::Fastest(factor) => format!("≥ {factor} × the fastest peer"),
            Self::Times(factor, name) => format!("≥ {factor} × {name}"),
            Self::Bound(factor) => format!("≥ {factor} × the bound"),
            Self::AtMost(value) => format!("≤ {}", unit.show(value)),
            Self::AtLeast(value) => format!("≥ {}", unit.show(value)),
            Self::Aim(value) => format!("aim: ≥ {}", unit.show(value)),
            Self::Thrift(factor) => format!("CPU ≤ {factor} × the thriftiest peer"),
        }
    }

    /// How it came out in `row`.
    pub(crate) fn outcome(self, row: &Row) -> Outcome {
        let ours = row.value(berth::NAME);
        match self {
            Self::Fastest(factor) => at_least(ours, factor, row.fastest_peer()),
            Self::Times(factor, name) => at_least(ours, factor, row.value(name).map(|value| (name, value))),
            Self::Bound(factor) => at_least(ours, factor, row.bound().map(|value| ("the bound", value))),
            Self::AtMost(most) => Outcome { ratio: None, reached: ours.map(|value| value <= most) },
            Self::AtLeast(least) | Self::Aim(least) => {
                Outcome { ratio: None, reached: ours.map(|value| value >= least) }
            }
            Self::Thrift(factor) => {
                let compared = ratio(row.cpu(berth::NAME), row.thriftiest_peer());
                Outcome {
                    reached: compared.as_ref().map(|(ratio, _)| *ratio <= factor),
                    ratio: compared.map(show),
                }
            }
        }
    }
}

fn at_least(ours: Option<f64>, factor: f64, other: Option<(&str, f64)>) -> Outcome {
    let compared = ratio(ours, other);
    Outcome { reached: compared.as_ref().map(|(ratio, _)| *ratio >= factor), ratio: compared.map(show) }
}

fn ratio(ours: Option<f64>, other: Option<(&str, f64)>) -> Option<(f64, &str)> {
    let (name, theirs) = other?;
    (theirs > 0.0).then_some((ours? / theirs, name))
}

fn show((ratio, name): (f64, &str)) -> String {
    format!("{ratio:.2} × {name}")
}
