//! The command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;

use crate::contestant::remote::Remote;
use crate::scale::Scale;

/// Where the finished table belongs in this repository.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks.md");

/// Measures Berth against its peers on this machine, with the same data and the same load, and writes a table of ratios.
///
/// Peers are nginx (from the search path), distribution v3 (from the tools that `cargo xtask` installs), and every registry given with --peer. What is missing is left out and named below the table.
#[derive(Debug, Parser)]
#[command(name = "berth-bench")]
pub(crate) struct Options {
    /// Small sizes and two rounds, to try the bench itself.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only this line (may be given again); --list names them.
    #[arg(long, value_name = "LINE")]
    pub(crate) only: Vec<String>,
    /// Names the lines and ends.
    #[arg(long)]
    pub(crate) list: bool,
    /// A registry that runs already, as NAME=http://HOST:PORT (may be given again). What is pushed to it stays there.
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) peer: Vec<Remote>,
    /// The `berth` binary; by default the one beside this program.
    #[arg(long, value_name = "FILE")]
    berth: Option<PathBuf>,
    /// Where the table goes: docs/benchmarks.md for a whole run, else standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The directory to make the temporary one in, on the disk to be measured; by default beside the build.
    #[arg(long, value_name = "DIR")]
    room: Option<PathBuf>,
    /// How often each server is measured.
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// MiB of each of the 64 blobs at once in the memory lines; less is taken when the disk is too small.
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    cache: Option<PathBuf>,
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,
}

impl Options {
    /// The sizes to measure with.
    pub(crate) fn scale(&self) -> Scale {
        let mut scale = if self.quick { Scale::QUICK } else { Scale::FULL };
        scale.rounds = self.rounds.unwrap_or(scale.rounds).max(1);
        scale.each_of_many = self.memory.unwrap_or(scale.each_of_many);
        scale
    }

    /// Where the table goes; `None` is standard output.
    pub(crate) fn out(&self) -> Option<PathBuf> {
        let whole = !self.quick && self.only.is_empty();
        self.out.clone().or_else(|| whole.then(|| PathBuf::from(TABLE)))
    }

    /// The `berth` binary.
    pub(crate) fn berth(&self) -> anyhow::Result<PathBuf> {
        match &self.berth {
            Some(program) => Ok(program.clone()),
            None => Ok(beside_this()?.join("berth")),
        }
    }

    /// The directory on the disk to be measured.
    pub(crate) fn room(&self) -> anyhow::Result<PathBuf> {
        match &self.room {
            Some(room) => Ok(room.clone()),
            None => {
                Ok(beside_this()?.parent().context("the program lies in no target directory")?.to_owned())
            }
        }
    }

    /// Where `cargo xtask` keeps the programs that it installed.
    pub(crate) fn tools(&self) -> Option<PathBuf> {
        let cache = self.cache.clone().filter(|cache| cache.is_absolute());
        let cache = cache.or_else(|| self.home.as_ref().map(|home| home.join(".cache")))?;
        Some(cache.join("berth/tools"))
    }
}

fn beside_this() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("this program lies in no directory")?.to_owned())
}
