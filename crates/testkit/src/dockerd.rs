//! Docker's daemon, started by the test without a network of its own, and its client.

use crate::process::Process;
use crate::program::command_as_root;
use crate::{Program, Scratch, system};

/// A running dockerd.
#[derive(Debug)]
pub struct Dockerd {
    process: Process,
    scratch: Scratch,
}

impl Dockerd {
    /// Starts a daemon with an empty store.
    #[track_caller]
    pub fn start() -> Self {
        let scratch = Scratch::new();
        scratch.write("daemon.json", "{}");
        let mut command = command_as_root(&system("dockerd"));
        command.arg("--config-file").arg(scratch.join("daemon.json"));
        command.arg("--data-root").arg(scratch.folder("data")).arg("--exec-root").arg(scratch.folder("run"));
        command.arg("--pidfile").arg(scratch.join("pid")).arg("--host").arg(host(&scratch));
        command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]);
        // The daemon finds its own containerd and runc where only root looks.
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let mut daemon = Self { process: Process::start(command, &scratch.join("dockerd.log")), scratch };
        let host = host(&daemon.scratch);
        daemon.process.wait_until("answers", || {
            let version = Program::as_root(system("docker")).args(["--host", &host, "version"]).finish();
            version.status.success()
        });
        daemon
    }

    /// `docker` talking to this daemon.
    pub fn docker(&self) -> Program {
        let program = Program::as_root(system("docker")).args(["--host", &host(&self.scratch)]);
        program.env("DOCKER_CLI_EXPERIMENTAL", "enabled")
    }
}

fn host(scratch: &Scratch) -> String {
    format!("unix://{}", scratch.join("docker.sock").display())
}

impl Drop for Dockerd {
    #[expect(clippy::print_stderr, reason = "the log helps whoever reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of dockerd\n{}", self.process.log());
        }
        // Asked, not killed: it ends its own containerd then.
        self.process.stop();
    }
}
