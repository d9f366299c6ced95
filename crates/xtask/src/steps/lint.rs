//! Clippy with the workspace's lints; a warning is an error.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::process;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let mut command = process::cargo(context);
    command.args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]);
    process::run(&mut command)?;
    Ok(Outcome::passed(1))
}
