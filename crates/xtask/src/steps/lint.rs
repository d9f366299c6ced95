//! Clippy with the workspace's lints, and over the fuzz targets, which nothing else in the run compiles; a warning is an error.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::{fuzz, process};

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
    Ok(Outcome::passed(1 + fuzz::check(context)?))
}
