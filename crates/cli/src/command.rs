//! The subcommands.

mod admin;
mod backup;
mod completions;
mod config;
mod fsck;
mod restore;
mod secrets;
mod serve;
mod version;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the registry
    Serve(serve::Serve),
    /// Show or check the configuration
    #[command(
        subcommand,
        after_help = "\
Examples:
  berth config show
  berth config check --config berth.yaml"
    )]
    Config(config::Config),
    /// Help the first administrator
    #[command(
        subcommand,
        after_help = "\
Examples:
  berth admin reset-password
  berth admin robots
  berth admin permissions"
    )]
    Admin(admin::Admin),
    /// Replace the keys of an installation
    #[command(
        subcommand,
        after_help = "\
Examples:
  berth secrets rotate
  berth secrets rotate-token-key"
    )]
    Secrets(secrets::Secrets),
    /// Compare what the database says with what storage holds
    Fsck(fsck::Fsck),
    /// Copy an embedded installation, running or not, into a new directory
    Backup(backup::Backup),
    /// Bring a backup back into an empty data directory
    Restore(restore::Restore),
    /// Print the version
    Version,
    /// Print completions for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it; what the process is to exit with.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self {
            Self::Serve(serve) => block_on(serve.run()),
            Self::Config(config) => config.run(),
            Self::Admin(admin) => block_on(admin.run()),
            Self::Secrets(secrets) => block_on(secrets.run()),
            Self::Fsck(fsck) => block_on(fsck.run()),
            Self::Backup(backup) => block_on(backup.run()),
            Self::Restore(restore) => block_on(restore.run()),
            Self::Version => {
                version::run();
                Ok(ExitCode::SUCCESS)
            }
            Self::Completions(completions) => {
                completions.run();
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn block_on(work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the threads cannot be started")?;
    let done = runtime.block_on(work);
    // What still runs in the background has nothing to say any more.
    runtime.shutdown_background();
    done
}
