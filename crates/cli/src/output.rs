//! Text for whoever started the program.

use std::io::{self, Write};

/// Writes a line to standard output. A reader that went away is no failure.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line to standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
