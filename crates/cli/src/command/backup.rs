//! `berth backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use berth_server::embedded::{self, Copied};
use clap::Args;

use crate::output;
use crate::settings::ConfigFlags;

/// Copies an embedded installation into a new directory; its server may go on running
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth backup /backups/monday
  berth backup --data /srv/berth /backups/monday

On the same volume, blobs are hard links and take no room. The copy is a data directory by itself:
`berth fsck --data DIR` checks it and writes nothing into it. Unfinished uploads are not in it.
Its berth.db comes last: a directory without one is no backup.
Exits with 0 if everything was copied, 1 if blobs are missing, 2 if there is no copy.")]
pub(crate) struct Backup {
    /// Where to; a directory that is empty or not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Backup {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let config = self.flags.load(Vec::new())?.config;
        let copied = embedded::backup(&config, &self.directory).await?;
        Ok(tell(&copied, &format!("backed up to {}", self.directory.display())))
    }
}

/// Says what was copied and what is missing.
pub(super) fn tell(copied: &Copied, what: &str) -> ExitCode {
    output::say(&format!("{what}: the database and {} blobs, {} bytes", copied.blobs, copied.bytes));
    for digest in &copied.missing {
        output::complain(&format!("berth: missing: {digest}"));
    }
    if copied.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        output::complain(
            "berth: blobs are missing: run `berth fsck` where they came from, and push them again",
        );
        ExitCode::from(1)
    }
}
