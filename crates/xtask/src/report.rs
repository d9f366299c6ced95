//! What a person and a robot read: steps with their time, and the last line.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore speaks to the terminal; this is the one file that does"
)]

use std::time::Duration;

/// Says one line.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Says that a step begins.
pub(crate) fn begin(number: usize, of: usize, name: &str, what: &str) {
    println!("\n== {number}/{of} {name}: {what}");
}

/// Says how a step ended.
pub(crate) fn end(name: &str, took: Duration, note: &str) {
    println!("== {name}: {note} ({:.1} s)", took.as_secs_f64());
}

/// Says why a chore failed, with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
