//! `berth completions`.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::Arguments;

/// Prints a script that completes subcommands and flags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth completions bash > ~/.local/share/bash-completion/completions/berth
  berth completions zsh > ~/.zfunc/_berth
  berth completions fish > ~/.config/fish/completions/berth.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) {
        generate(self.shell, &mut Arguments::command(), "berth", &mut io::stdout().lock());
    }
}
