//! What has to be cleared away when the bench is interrupted: running servers and the temporary directory.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

/// The process groups that run now and the directory they write to.
#[derive(Debug)]
pub(crate) struct Leftovers {
    groups: Mutex<BTreeSet<u32>>,
    room: PathBuf,
}

impl Leftovers {
    /// Watches for Ctrl-C and SIGTERM from now on: both clear everything away and end this process.
    pub(crate) fn watch(room: PathBuf) -> anyhow::Result<Arc<Self>> {
        let leftovers = Arc::new(Self { groups: Mutex::default(), room });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let watched = Arc::clone(&leftovers);
        thread::spawn(move || {
            runtime.block_on(async {
                let (Ok(mut interrupt), Ok(mut terminate)) =
                    (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
                else {
                    return;
                };
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                watched.clear_and_exit();
            });
        });
        Ok(leftovers)
    }

    /// Starts a child that leads a process group, and remembers it. Nothing starts while an interrupt is clearing away.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let mut groups = self.groups();
        let child = command.process_group(0).spawn()?;
        groups.insert(child.id());
        Ok(child)
    }

    /// Forgets a process group that has ended.
    pub(crate) fn remove(&self, group: u32) {
        self.groups().remove(&group);
    }

    fn clear_and_exit(&self) -> ! {
        let groups = self.groups();
        for group in groups.iter() {
            kill(*group, Signal::KILL);
        }
        // Nobody is left to be told of a failure.
        let _ = fs::remove_dir_all(&self.room);
        process::exit(130)
    }

    fn groups(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal to a whole group; one that is gone already is fine.
pub(crate) fn kill(group: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, signal);
    }
}
