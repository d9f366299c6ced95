//! Builds the binary that the stories and the conformance suite start.

use anyhow::{Result, bail};

use super::Outcome;
use crate::context::Context;
use crate::process;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    process::run(process::cargo(context).args(["build", "--quiet", "--locked", "--package", "berth-cli"]))?;
    if !context.binary().is_file() {
        bail!("cargo built no {}", context.binary().display());
    }
    Ok(Outcome::passed(1))
}
