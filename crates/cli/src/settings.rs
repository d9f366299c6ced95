//! The flags that several subcommands share, and the configuration that follows from them.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use berth_config::{Flag, Loaded, Sources, load};
use clap::Args;

use crate::output;

/// Where the configuration is.
#[derive(Debug, Default, Args)]
pub(crate) struct ConfigFlags {
    /// The configuration file, in YAML
    #[arg(long, value_name = "FILE", env = "BERTH_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    #[arg(
        long,
        value_name = "DIR",
        help = "The data directory [default: $XDG_DATA_HOME/berth or ~/.local/share/berth]"
    )]
    data: Option<String>,
}

impl ConfigFlags {
    /// Loads the configuration with these flags and those in `more`, and tells of what it warns of.
    pub(crate) fn load(&self, more: Vec<Flag>) -> Result<Loaded> {
        let mut flags = more;
        if let Some(value) = self.data.clone() {
            flags.push(Flag { name: "--data", section: "data", key: "directory", value });
        }
        let text = |part: OsString| part.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        let loaded = load(&Sources { file: self.config.clone(), environment, flags })?;
        for warning in &loaded.warnings {
            output::complain(&format!("berth: warning: {warning}"));
        }
        Ok(loaded)
    }
}
