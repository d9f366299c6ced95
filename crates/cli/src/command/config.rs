//! `berth config show` and `berth config check`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::output;
use crate::settings::ConfigFlags;

/// Shows or checks the configuration
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every effective value as YAML, with where it came from; secrets are masked
    #[command(after_help = "\
Examples:
  berth config show
  BERTH_LISTEN=0.0.0.0:80 berth config show --config berth.yaml")]
    Show(ConfigFlags),
    /// Say whether Berth would start with this configuration, and what is wrong with it if not
    #[command(after_help = "\
Examples:
  berth config check --config berth.yaml

Exits with 0 if the configuration can be used, else with 2.")]
    Check(ConfigFlags),
    /// Print the reference page of all settings as Markdown
    #[command(hide = true)]
    Reference,
}

impl Config {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self {
            Self::Show(flags) => output::say(flags.load(Vec::new())?.show().trim_end()),
            Self::Check(flags) => {
                berth_server::check(&flags.load(Vec::new())?.config)?;
                output::say("the configuration can be used");
            }
            Self::Reference => output::say(berth_config::reference().trim_end()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
