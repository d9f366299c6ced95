//! Running a program to its end and showing what it said when that was not expected.

use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use crate::credentials;

/// A program about to run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Vec<u8>,
}

impl Program {
    /// A program by its path or name. It does not see `BERTH_…` variables of this process.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self::of(Command::new(path.as_ref()))
    }

    /// The same as root: as it is, or by `sudo` that asks nothing.
    pub fn as_root(path: impl AsRef<Path>) -> Self {
        Self::of(command_as_root(path.as_ref()))
    }

    fn of(mut command: Command) -> Self {
        forget_settings(&mut command);
        credentials::show(&mut command);
        Self { command, input: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets where it runs.
    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads from its standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it to its end, which must be a success.
    #[track_caller]
    pub fn run(self) -> Finished {
        let finished = self.finish();
        assert!(finished.status.success(), "{finished}");
        finished
    }

    /// Runs it to its end, which must be a failure.
    #[track_caller]
    pub fn fail(self) -> Finished {
        let finished = self.finish();
        assert!(!finished.status.success(), "a failure was expected; {finished}");
        finished
    }

    /// Runs it to its end, whatever that is.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let shown = shown(&self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let mut stdin = child.stdin.take().expect("piped");
        let input = self.input;
        // A program may end without reading all of it.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap_or_else(|error| panic!("cannot read {shown}: {error}"));
        writer.join().expect("writing to a pipe does not panic");
        Finished { shown, status: output.status, stdout: output.stdout, stderr: output.stderr }
    }
}

/// A program that ended.
#[derive(Debug)]
pub struct Finished {
    shown: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote.
    pub stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Finished {
    /// Its standard output as text, without the last line's end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// What it complained of.
    pub fn complaints(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shown, status, .. } = self;
        write!(
            f,
            "`{shown}` ended with {status}\n--- stdout\n{}\n--- stderr\n{}",
            self.text(),
            self.complaints()
        )
    }
}

/// A program and its arguments as one would type them.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn command_as_root(path: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(path);
    command
}

/// Takes the `BERTH_…` variables of this process away from a command.
pub(crate) fn forget_settings(command: &mut Command) {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BERTH_")) {
        command.env_remove(name);
    }
}
