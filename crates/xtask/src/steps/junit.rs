//! nextest, and how many tests passed according to the `JUnit` file that it leaves.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Outcome;
use crate::context::Context;
use crate::tools;

/// `cargo nextest run` with a profile of `.config/nextest.toml`; the last run's report is thrown away first.
pub(super) fn nextest(context: &Context, profile: &str) -> Result<Command> {
    let _ = fs::remove_file(report(context, profile));
    let mut command = tool(context, "run")?;
    command.args(["--profile", profile]);
    Ok(command)
}

/// `cargo nextest` with this word.
pub(super) fn tool(context: &Context, word: &str) -> Result<Command> {
    let nextest = tools::ensure(context, "cargo-nextest")?;
    let mut command = Command::new(nextest);
    command.current_dir(context.root()).env("CARGO_TARGET_DIR", context.target());
    command.args(["nextest", word, "--locked", "--cargo-quiet"]);
    command.arg("--config-file").arg(configuration(context)?);
    Ok(command)
}

/// The project's configuration with reports in the target directory, which may lie outside the checkout.
fn configuration(context: &Context) -> Result<PathBuf> {
    let ours = context.root().join(".config/nextest.toml");
    let text = fs::read_to_string(&ours).with_context(|| format!("cannot read {}", ours.display()))?;
    fs::create_dir_all(context.target())?;
    let path = context.target().join("nextest.toml");
    fs::write(&path, format!("store.dir = \"{}\"\n{text}", store(context).display()))?;
    Ok(path)
}

/// What the report of the last run says.
pub(super) fn read(context: &Context, profile: &str) -> Result<Outcome> {
    let path = report(context, profile);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("the tests left no report at {}", path.display()))?;
    counts(&text).with_context(|| format!("{} does not say how many tests ran", path.display()))
}

fn report(context: &Context, profile: &str) -> PathBuf {
    store(context).join(profile).join("junit.xml")
}

fn store(context: &Context) -> PathBuf {
    context.target().join("nextest")
}

/// Reads the attributes of `<testsuites … tests="12" failures="1" errors="0">`.
fn counts(text: &str) -> Option<Outcome> {
    let start = text.find("<testsuites ")?;
    let head = text[start..].split_once('>')?.0;
    let number = |name: &str| -> Option<usize> {
        let value = head.split_once(&format!(" {name}=\""))?.1;
        value.split_once('"')?.0.parse().ok()
    };
    let failed = number("failures")? + number("errors")?;
    Some(Outcome { passed: number("tests")?.checked_sub(failed)?, failed, ignored: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_report_is_read() {
        let text = r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="x"><testsuite tests="1">"#;
        assert_eq!(counts(text), Some(Outcome { passed: 9, failed: 3, ignored: 0 }));
        assert_eq!(counts("<testsuite/>"), None);
    }
}
