//! The project's own chores: `cargo xtask <chore>`.
//!
//! One file a chore here, one file a step of the test run in `steps/`. Nothing in this crate knows the registry's code: it starts
//! programs and reads what they leave behind.

mod bench;
mod conformance;
mod context;
mod fuzz;
mod generate;
mod process;
mod report;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use context::Context;

/// The project's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what is missing, then run every check and test; ends with one line that says what passed.
    Test {
        /// Run this step only; may be given several times. Without a value that exists, the steps are listed.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// Run the long tests too: thousands of kills, millions of rows.
        #[arg(long)]
        soak: bool,
    },
    /// Run the OCI conformance suite in all its profiles against the binary.
    Conformance,
    /// Write the generated files anew.
    Generate,
    /// Run the fuzz targets with libFuzzer.
    Fuzz {
        /// This one only; without it all of them in turn.
        target: Option<String>,
        /// How long each runs.
        #[arg(default_value_t = 60)]
        seconds: u64,
    },
    /// Build for release and measure against other registries; what follows is handed to the benchmark.
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = Context::discover().and_then(|context| match Arguments::parse().chore {
        Chore::Test { only, soak } => test::run(&context.with_soak(soak), &only),
        Chore::Conformance => conformance::run(&context),
        Chore::Generate => generate::run(&context),
        Chore::Fuzz { target, seconds } => fuzz::run(&context, target.as_deref(), seconds),
        Chore::Bench { arguments } => bench::run(&context, &arguments),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::error(&error);
            ExitCode::FAILURE
        }
    }
}
