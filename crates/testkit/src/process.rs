//! A process in the background: its log, its end.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{forget_settings, shown};
use crate::until;

/// How long a server may take to start or to end on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A running process; it is killed when this value goes.
#[derive(Debug)]
pub struct Process {
    child: Child,
    shown: String,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it says is appended to `log`.
    #[track_caller]
    pub fn start(mut command: Command, log: &Path) -> Self {
        let open = |log| OpenOptions::new().create(true).append(true).open(log);
        let file: File = open(log).expect("a log can be written");
        forget_settings_unless_given(&mut command);
        command.stdout(file.try_clone().expect("a file can be opened twice")).stderr(file);
        command.stdin(std::process::Stdio::null());
        let shown = shown(&command);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        Self { child, shown, log: log.to_owned() }
    }

    /// Waits until `ready`; panics with the log if the process ends before.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        let log = self.log.clone();
        let (child, shown) = (&mut self.child, &self.shown);
        until(&format!("{shown} {what}"), PATIENCE, || {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                panic!("{shown} ended with {status} before it {what}\n{}", tail(&log));
            }
            ready().then_some(())
        });
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, as a loss of power would, and waits until it is gone.
    pub fn kill(&mut self) {
        if self.signal(Signal::KILL) {
            self.child.wait().expect("a child can be waited for");
        }
    }

    /// Asks it to end and waits until it did.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let (child, shown) = (&mut self.child, &self.shown);
        until(&format!("{shown} ends"), PATIENCE, || child.try_wait().expect("a child can be asked"))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Sends a signal, unless it has ended; whether it was sent.
    pub fn signal(&mut self, signal: Signal) -> bool {
        if !self.is_running() {
            return false;
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        if kill_process(id, signal).is_err() {
            // It runs as root by sudo, and this process does not.
            let mut command = Command::new("sudo");
            command.args(["-n", "kill", &format!("-{}", signal.as_raw()), &id.as_raw_nonzero().to_string()]);
            return command.status().is_ok_and(|status| status.success());
        }
        true
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Settings of this process are not the server's, unless the actor gave them.
fn forget_settings_unless_given(command: &mut Command) {
    let given: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    forget_settings(command);
    command.envs(given);
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(40)..].iter();
    last.map(|line| line.chars().take(400).collect::<String>()).collect::<Vec<_>>().join("\n")
}
