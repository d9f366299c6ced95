//! Another time for a process than the machine's, so that a story need not wait for a day to pass: Debian's libfaketime, whose offset
//! stands in a file. Only the wall clock moves; timeouts go on as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where Debian puts the library, in a folder a machine's kind.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clock of one process, from its start on.
#[derive(Debug)]
pub(crate) struct MovableClock {
    file: PathBuf,
}

impl MovableClock {
    /// The machine's time at first; `folder` is for its file.
    pub(crate) fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock") };
        clock.set_ahead(Duration::ZERO);
        clock
    }

    /// From now on it is so much ahead of the machine's.
    pub(crate) fn set_ahead(&self, by: Duration) {
        // At once or not at all: the process reads it all the time.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("+{}\n", by.as_secs())).expect("a scratch file can be written");
        fs::rename(&new, &self.file).expect("a scratch file can be renamed");
    }

    /// Gives the clock to a command.
    pub(crate) fn show(&self, command: &mut Command) {
        command.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &self.file);
        for rule in ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"] {
            command.env(rule, "1");
        }
    }

    /// Removes what the library leaves of a process that was killed.
    pub(crate) fn forget(id: u32) {
        for left in ["faketime_shm", "sem.faketime_sem"] {
            let _ = fs::remove_file(format!("/dev/shm/{left}_{id}"));
        }
    }
}

fn library() -> PathBuf {
    let kinds = fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
    let found = kinds.map(|kind| kind.path().join(LIBRARY)).find(|library| library.is_file());
    found.expect(
        "libfaketime is not installed: run `cargo xtask test --only tools` or `apt-get install faketime`",
    )
}
