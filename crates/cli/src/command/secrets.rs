//! `berth secrets`.

use std::process::ExitCode;

use anyhow::Result;
use berth_server::administration::{self, Rotated};
use clap::{Args, Subcommand};

use crate::output;
use crate::settings::ConfigFlags;

/// What is to be done to the keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// Seal every secret in the database under another key
    Rotate(Rotate),
    /// Let another key sign tokens before its time
    RotateTokenKey(RotateTokenKey),
}

/// Seals every secret in the database under another key; passwords, robots' secrets and tokens stay as they are
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth secrets rotate
  BERTH_ACCESS__SECRET_KEY_FILE=new BERTH_ACCESS__PREVIOUS_SECRET_KEY_FILE=old berth secrets rotate

An embedded installation that made its own key makes another one, which its server takes into use within a minute, while it runs.
Where the key is configured: give the new one as access.secret_key and the old one as access.previous_secret_key to every process, start them again, run this
once, then remove the old one. Interrupted at any point, it can be run again.")]
pub(crate) struct Rotate {
    #[command(flatten)]
    flags: ConfigFlags,
}

/// Publishes another key at once; it signs as soon as every replica has read it, five minutes later
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth secrets rotate-token-key

Tokens that are out stay valid until they end. Two keys are valid at a time: while that is so, there is no third.")]
pub(crate) struct RotateTokenKey {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Secrets {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Rotate(rotate) => {
                let config = rotate.flags.load(Vec::new())?.config;
                let Rotated { resealed, new_key } = administration::rotate_secrets(&config).await?;
                output::say(&format!("sealed again: {resealed}"));
                if let Some(file) = new_key {
                    output::say(&format!(
                        "the new key is in {}: a server that runs takes it into use within a minute",
                        file.display()
                    ));
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::RotateTokenKey(rotate) => {
                let config = rotate.flags.load(Vec::new())?.config;
                if administration::rotate_token_key(&config).await? {
                    output::say("a new key is published; it signs in five minutes");
                    return Ok(ExitCode::SUCCESS);
                }
                output::complain("berth: two keys are valid already: try again when the older one has ended");
                Ok(ExitCode::from(1))
            }
        }
    }
}
