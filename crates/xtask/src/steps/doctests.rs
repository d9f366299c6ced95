//! The examples in the documentation compile and hold.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use super::Outcome;
use crate::context::Context;
use crate::{process, report};

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let mut command = process::cargo(context);
    command.args(["test", "--quiet", "--locked", "--workspace", "--doc", "--no-fail-fast"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let outcome = text.lines().filter_map(counts).fold(Outcome::default(), |sum, one| sum.and(&one));
    if !output.status.success() {
        report::say(&text);
        return Ok(if outcome.failed > 0 { outcome } else { outcome.and(&Outcome::failed()) });
    }
    ensure!(outcome.ignored == 0, "an example that nobody runs is no example: none may be marked `ignore`");
    Ok(outcome)
}

/// Reads `test result: ok. 3 passed; 0 failed; …`.
fn counts(line: &str) -> Option<Outcome> {
    let line = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let before = line.split_once(word)?.0.trim_end();
        before.rsplit(' ').next()?.parse().ok()
    };
    Some(Outcome { passed: number("passed")?, failed: number("failed;")?, ignored: number("ignored;")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_line_is_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(counts(line), Some(Outcome { passed: 12, failed: 3, ignored: 1 }));
        assert_eq!(counts("running 3 tests"), None);
    }
}
