//! cargo-deny: licences, sources, and which crates may be linked by whom.
//!
//! Advisories are left out: they need a database from the network, and a test must not change its mind overnight. CONTRIBUTING.md
//! says who runs them, and when.

use anyhow::Result;

use super::Outcome;
use crate::context::Context;
use crate::{process, tools};

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let deny = tools::ensure(context, "cargo-deny")?;
    let mut command = std::process::Command::new(deny);
    command.current_dir(context.root()).args(["check", "--hide-inclusion-graph"]);
    // The list names rooms that are still to be built.
    command.args(["--allow", "unused-wrapper"]);
    process::run(command.args(["bans", "licenses", "sources"]))?;
    Ok(Outcome::passed(3))
}
