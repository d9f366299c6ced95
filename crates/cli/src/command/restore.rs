//! `berth restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use berth_server::embedded;
use clap::Args;

use super::backup::tell;
use crate::settings::ConfigFlags;

/// Brings a backup back into an empty data directory
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth restore /backups/monday
  berth restore --data /srv/berth /backups/monday

Exits with 0 if everything was brought back, 1 if blobs are missing, 2 if nothing was.")]
pub(crate) struct Restore {
    /// The directory that `berth backup` made
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Restore {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let config = self.flags.load(Vec::new())?.config;
        let copied = embedded::restore(&config, &self.directory).await?;
        Ok(tell(&copied, &format!("restored to {}", config.data.directory.display())))
    }
}
