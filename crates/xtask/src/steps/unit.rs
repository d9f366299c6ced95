//! Unit and contract tests of every room, by nextest; no snapshot may be left that no test refers to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{Outcome, ignored, junit, source};
use crate::context::Context;
use crate::process;

/// What this step tests: everything but the stories.
const CHOSEN: &[&str] = &["--workspace", "--exclude", "berth-tests"];

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let references = context.target().join("snapshot-references");
    let _ = fs::remove_file(&references);
    let profile = if context.soak() { "soak" } else { "default" };
    let mut command = junit::nextest(context, profile)?;
    command.args(CHOSEN);
    command.env("INSTA_UPDATE", "no").env("INSTA_SNAPSHOT_REFERENCES_FILE", &references);
    if context.soak() {
        command.env("TESTKIT_SOAK", "1").args(["--run-ignored", "all"]);
    }
    let ran = process::run(&mut command);
    let mut outcome = junit::read(context, profile)?;
    if !context.soak() {
        outcome.ignored = ignored::count(context, CHOSEN, ignored::LONG)?;
    }
    ran.map(|()| outcome).or_else(|error| if outcome.failed > 0 { Ok(outcome) } else { Err(error) })?;
    if outcome.failed == 0 {
        refuse_unreferenced_snapshots(context.root(), &fs::read_to_string(&references).unwrap_or_default())?;
    }
    Ok(outcome)
}

fn refuse_unreferenced_snapshots(root: &Path, references: &str) -> Result<()> {
    let used: BTreeSet<PathBuf> =
        references.lines().filter_map(|line| Path::new(line).canonicalize().ok()).collect();
    let stray: Vec<_> = source::files(root, &["snap", "new"])?
        .into_iter()
        .filter(|file| file.canonicalize().is_ok_and(|file| !used.contains(&file)))
        .map(|file| file.display().to_string())
        .collect();
    if !stray.is_empty() {
        bail!("snapshots that no test refers to: {}", stray.join(", "));
    }
    Ok(())
}
