//! Tells the person at the terminal what is going on.

use std::io::{self, Write as _};

/// One line to standard error.
pub(crate) fn say(text: &str) {
    // Nothing depends on whether somebody reads it.
    let _ = writeln!(io::stderr(), "{text}");
}
