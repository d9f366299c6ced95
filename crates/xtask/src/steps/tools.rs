//! Everything that the other steps start is on the machine.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::tools;

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let packages = tools::ensure_packages(tools::TESTS)?;
    let programs = tools::ensure_all(context)?;
    Ok(Outcome::passed(packages + programs))
}
