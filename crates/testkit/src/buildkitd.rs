//! buildkit's daemon and its client `buildctl`, both built as Go modules. It builds with files alone: no step of a story runs.

use std::path::Path;

use crate::process::Process;
use crate::program::command_as_root;
use crate::{Program, Scratch, tool};

/// A running buildkitd.
#[derive(Debug)]
pub struct Buildkitd {
    process: Process,
    scratch: Scratch,
}

impl Buildkitd {
    /// Starts a daemon with an empty store, which speaks plain HTTP with `registry` (`host:port`).
    #[track_caller]
    pub fn start(registry: &str) -> Self {
        let scratch = Scratch::new();
        let config = scratch.write("buildkitd.toml", format!("[registry.\"{registry}\"]\n  http = true\n"));
        let mut command = command_as_root(&tool("buildkitd"));
        command.arg("--config").arg(config).arg("--root").arg(scratch.join("root"));
        command.arg("--addr").arg(address(&scratch.join("sock")));
        command.args(["--containerd-worker=false", "--oci-worker-snapshotter=native"]);
        command.args(["--oci-worker-net=host"]);
        // It finds runc where only root looks.
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let mut daemon = Self { process: Process::start(command, &scratch.join("buildkitd.log")), scratch };
        let socket = daemon.scratch.join("sock");
        daemon
            .process
            .wait_until("answers", || buildctl(&socket).args(["debug", "workers"]).finish().status.success());
        daemon
    }

    /// `buildctl` talking to this daemon.
    pub fn buildctl(&self) -> Program {
        buildctl(&self.scratch.join("sock"))
    }
}

fn address(socket: &Path) -> String {
    format!("unix://{}", socket.display())
}

fn buildctl(socket: &Path) -> Program {
    Program::as_root(tool("buildctl")).args(["--addr", &address(socket)])
}

impl Drop for Buildkitd {
    #[expect(clippy::print_stderr, reason = "the log helps whoever reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of buildkitd\n{}", self.process.log());
        }
        // Asked, not killed: it unmounts what it has mounted then.
        self.process.stop();
    }
}
