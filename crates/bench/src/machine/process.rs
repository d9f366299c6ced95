//! A server that runs as a child and never outlives its handle.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::Signal;

use super::leftovers::{Leftovers, kill};

/// How long a server may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// A running child in a process group of its own.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    leftovers: Arc<Leftovers>,
}

impl Process {
    /// Starts `command` with both outputs in a file of `room`.
    pub(crate) fn start(
        command: &mut Command,
        room: &Path,
        leftovers: &Arc<Leftovers>,
    ) -> anyhow::Result<Self> {
        let log = room.join("output.log");
        let out = File::options().create(true).append(true).open(&log)?;
        let program = command.get_program().to_os_string();
        command.stdin(Stdio::null()).stderr(out.try_clone()?).stdout(out);
        let child = leftovers.spawn(command).with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child, log, leftovers: Arc::clone(leftovers) })
    }

    /// The id of the child; that of its group too.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the child's last words when it has ended.
    pub(crate) fn still_runs(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(3).collect();
                anyhow::bail!("the server ended by itself ({status}): {}", last.join(" | "))
            }
        }
    }

    fn end(&mut self) {
        kill(self.child.id(), Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        kill(self.child.id(), Signal::KILL);
        // It was killed: waiting can only fail when it has been waited for.
        let _ = self.child.wait();
        self.leftovers.remove(self.child.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
