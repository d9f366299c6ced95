//! Tests that are passed over unless `--soak` is given: none but those that are named. A test that somebody marked so by the way
//! is a failure.

use anyhow::{Context as _, Result, bail};

use super::junit;
use crate::context::Context;
use crate::process;

/// Those that take an hour.
pub(super) const LONG: &[&str] = &[
    "berth-metadata-sql tests::millions::postgres_finds_its_way_among_millions",
    "berth-metadata-sql tests::millions::sqlite_finds_its_way_among_millions",
];

/// How many of the tests that `arguments` choose are marked as ignored; fails unless they are the `named` ones.
pub(super) fn count(context: &Context, arguments: &[&str], named: &[&str]) -> Result<usize> {
    let mut list = junit::tool(context, "list")?;
    list.args(["--run-ignored", "ignored-only", "--message-format", "oneline"]).args(arguments);
    let listed = process::output(&mut list)?;
    compare(&listed, named)
}

/// `listed` has a line a test: its binary, then its name.
fn compare(listed: &str, named: &[&str]) -> Result<usize> {
    let listed: Vec<_> = listed.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(stray) = listed.iter().find(|test| !named.contains(test)) {
        bail!("`{stray}` is marked as ignored, and only what crates/xtask/src/steps/ignored.rs names may be");
    }
    let gone = named.iter().find(|test| !listed.contains(test));
    match gone {
        Some(gone) => Err(anyhow::anyhow!("there is no ignored test `{gone}` any more"))
            .context("crates/xtask/src/steps/ignored.rs names what is not there"),
        None => Ok(listed.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_may_be_ignored() {
        let named = &["berth-a tests::long"];
        assert_eq!(compare("berth-a tests::long\n", named).expect("named"), 1);
        assert_eq!(compare("", &[]).expect("none"), 0);
        let stray = compare("berth-a tests::long\nberth-b tests::red\n", named).expect_err("a stray one");
        assert!(stray.to_string().contains("berth-b tests::red"), "{stray}");
        assert!(compare("", named).is_err(), "a name that stands for nothing");
    }
}
