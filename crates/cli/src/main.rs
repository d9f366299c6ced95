//! The `berth` binary: a file a subcommand.

mod command;
mod output;
mod settings;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// Berth, a registry for container images and everything else that OCI carries
#[derive(Debug, Parser)]
#[command(
    name = "berth",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Examples:
  berth serve                         listen on 127.0.0.1:5000, keep data under ~/.local/share/berth
  berth serve --listen 0.0.0.0:5000 --data /srv/berth
  berth config show                   every setting, its value and where it came from
  berth fsck --deep                   read every byte back and compare it with its digest

Every setting can also be given by the environment, as BERTH_<SECTION>__<KEY>."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("berth: {error:#}"));
            ExitCode::from(2)
        }
    }
}
