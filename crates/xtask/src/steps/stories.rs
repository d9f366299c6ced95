//! The client stories: real programs against the real binary.

use anyhow::Result;

use super::{Outcome, ignored, junit};
use crate::context::Context;
use crate::process;

const CHOSEN: &[&str] = &["--package", "berth-tests"];

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let profile = if context.soak() { "soak" } else { "stories" };
    let mut command = junit::nextest(context, profile)?;
    command.args(CHOSEN).env("TESTKIT_BERTH", context.binary());
    if context.soak() {
        command.env("TESTKIT_SOAK", "1").args(["--run-ignored", "all"]);
    }
    let ran = process::run(&mut command);
    let outcome = junit::read(context, profile)?;
    ignored::count(context, CHOSEN, &[])?;
    ran.map(|()| outcome).or_else(|error| if outcome.failed > 0 { Ok(outcome) } else { Err(error) })
}
