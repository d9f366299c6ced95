//! cargo-machete: every dependency that a manifest names is used.

use std::process::Command;

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::{process, tools};

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let machete = tools::ensure(context, "cargo-machete")?;
    process::run(Command::new(machete).current_dir(context.root()).args(["crates", "tests"]))?;
    Ok(Outcome::passed(1))
}
