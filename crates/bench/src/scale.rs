//! How large and how long the loads are: full size for the table, small for trying.

use std::time::Duration;

/// The sizes of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How often each server is measured; the median counts.
    pub(crate) rounds: u64,
    /// The blob that is pulled, in MiB.
    pub(crate) pull: u64,
    /// The blob of the single push, in MiB.
    pub(crate) push: u64,
    /// Each of the eight blobs pushed at once, in MiB.
    pub(crate) each_of_eight: u64,
    /// Each of the 64 blobs pulled or pushed at once while memory is watched, in MiB.
    pub(crate) each_of_many: u64,
    /// How long ranges, manifests and small images are asked for.
    pub(crate) storm: Duration,
    /// How many tags and how many repositories "a million" means.
    pub(crate) million: u64,
    /// Free disk without which the run does not begin, in GiB.
    pub(crate) disk: u64,
}

impl Scale {
    /// The sizes that the goals name.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        pull: 2048,
        push: 4096,
        each_of_eight: 1024,
        each_of_many: 1024,
        storm: Duration::from_secs(8),
        million: 1_000_000,
        disk: 24,
    };

    /// Sizes for trying the bench itself; the numbers mean little.
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        pull: 256,
        push: 256,
        each_of_eight: 64,
        each_of_many: 40,
        storm: Duration::from_secs(1),
        million: 20_000,
        disk: 4,
    };
}

/// A size as a person writes it.
pub(crate) fn mebibytes(count: u64) -> String {
    if count.is_multiple_of(1024) { format!("{} GiB", count / 1024) } else { format!("{count} MiB") }
}

/// A count with its thousands apart.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_are_readable() {
        assert_eq!((mebibytes(2048), mebibytes(1000)), ("2 GiB".to_owned(), "1000 MiB".to_owned()));
        assert_eq!(
            (grouped(7), grouped(999), grouped(1_000_000)),
            ("7".into(), "999".into(), "1,000,000".into())
        );
    }
}
