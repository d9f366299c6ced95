//! The code is as rustfmt writes it.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::process;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    process::run(process::cargo(context).args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::passed(1))
}
