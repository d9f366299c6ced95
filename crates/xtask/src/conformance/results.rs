//! What the suite found: its counts and its rows.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};

/// One run of the suite.
#[derive(Debug)]
pub(super) struct Results {
    /// How many checks ended how, by the suite's word for it.
    counts: BTreeMap<String, usize>,
    /// Each row of `results.yaml` that did not pass, with how it ended.
    not_passed: Vec<String>,
}

/// The words for what ended otherwise than passing; `Disabled` is what a profile does not contain.
const BAD: [&str; 3] = ["Skip", "FAIL", "Error"];

impl Results {
    /// Reads the summary on the suite's output and the rows of its `results.yaml`.
    pub(super) fn read(summary: &str, rows: &str) -> Result<Self> {
        let tail = summary.split_once("OCI Conformance Result:").context("the suite printed no result")?.1;
        let counts: BTreeMap<_, _> = tail.lines().skip(1).map_while(count).collect();
        if !counts.contains_key("Pass") || !BAD.iter().all(|word| counts.contains_key(*word)) {
            bail!("the suite's summary is not understood: {tail:.400}");
        }
        let rows: Vec<_> =
            ["apis:", "data:"].into_iter().flat_map(|section| section_rows(rows, section)).collect();
        if rows.is_empty() {
            bail!("results.yaml has no rows");
        }
        let bad = rows.into_iter().filter(|(_, how)| *how != "Pass" && *how != "Disabled");
        Ok(Self { counts, not_passed: bad.map(|(row, how)| format!("{row}: {how}")).collect() })
    }

    /// How many checks passed.
    pub(super) fn passed(&self) -> usize {
        self.counts.get("Pass").copied().unwrap_or_default()
    }

    /// Everything that is not as it must be.
    pub(super) fn complaints(&self) -> Vec<String> {
        let bad = BAD.iter().filter_map(|word| Some((word, *self.counts.get(*word)?)));
        let mut complaints: Vec<_> =
            bad.filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
        if self.passed() == 0 {
            complaints.push("nothing passed".into());
        }
        complaints.extend(self.not_passed.iter().cloned());
        complaints
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self.counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
        f.write_str(&counts.join(", "))
    }
}

/// Reads `  Pass..........................:        855`.
fn count(line: &str) -> Option<(String, usize)> {
    let (word, number) = line.trim().split_once(':')?;
    Some((word.trim_end_matches('.').to_owned(), number.trim().parse().ok()?))
}

/// The rows below a top-level key: `  Blob chunked: FAIL`. The first `apis:` of the file is inside `config:` and indented.
fn section_rows<'a>(rows: &'a str, section: &str) -> Vec<(&'a str, &'a str)> {
    let below = rows.lines().skip_while(|line| *line != section).skip(1);
    below.take_while(|line| line.starts_with("  ")).filter_map(|line| line.trim().split_once(": ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "config:\n  apis:\n    ping: true\napis:\n  Ping: Pass\n  Blob mount: Skip\ndata:\n  Image: Pass\n  Odd: Disabled\n";

    fn summary(skip: usize, fail: usize) -> String {
        format!(
            "x\nOCI Conformance Result: Pass\n  Disabled......:   7\n  Skip....:  {skip}\n  Pass....:  855\n  FAIL....: {fail}\n  Error....: 0\n  Total...: 9\n\nAPI"
        )
    }

    #[test]
    fn a_row_that_was_skipped_is_a_complaint() {
        let results = Results::read(&summary(0, 0), ROWS).expect("a summary");
        assert_eq!(results.passed(), 855);
        assert_eq!(results.complaints(), ["Blob mount: Skip"]);
    }

    #[test]
    fn a_count_that_is_not_zero_is_a_complaint() {
        let rows = ROWS.replace("Skip", "Pass");
        assert!(Results::read(&summary(0, 0), &rows).expect("a summary").complaints().is_empty());
        assert_eq!(
            Results::read(&summary(3, 2), &rows).expect("a summary").complaints(),
            ["3 Skip", "2 FAIL"]
        );
    }

    #[test]
    fn a_run_that_never_began_is_an_error() {
        assert!(Results::read("cannot read configuration", ROWS).is_err());
        assert!(Results::read(&summary(0, 0), "config:\n").is_err());
    }
}
