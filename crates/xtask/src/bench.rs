//! `cargo xtask bench`: the release build measured against other servers on the same machine.

use anyhow::Result;

use crate::context::Context;
use crate::{process, tools};

/// Makes sure that the peers are there, then hands over to the benchmark.
pub(crate) fn run(context: &Context, arguments: &[String]) -> Result<()> {
    for packages in [tools::TESTS, tools::BENCH] {
        tools::ensure_packages(packages)?;
    }
    tools::ensure(context, "registry")?;
    process::run(process::cargo(context).args(["build", "--release", "--package", "berth-cli"]))?;
    let mut command = process::cargo(context);
    command.args(["run", "--release", "--quiet", "--package", "berth-bench", "--"]).args(arguments);
    process::run(&mut command)
}
