//! containerd 2 and its client `ctr`, both built as Go modules.

use std::path::Path;

use crate::process::Process;
use crate::program::command_as_root;
use crate::{Program, Scratch, tool};

/// A running containerd.
#[derive(Debug)]
pub struct Containerd {
    process: Process,
    scratch: Scratch,
}

impl Containerd {
    /// Starts a daemon with an empty store, which reaches `registry` (`host:port`) by the `hosts.toml` of [`Containerd::hosts`].
    #[track_caller]
    pub fn start(registry: &str) -> Self {
        let scratch = Scratch::new();
        let hosts = format!(
            "server = \"http://{registry}\"\n\n[host.\"http://{registry}\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n"
        );
        scratch.write(&format!("hosts/{registry}/hosts.toml"), hosts);
        let config = format!(
            "version = 3\nroot = '{root}'\nstate = '{state}'\ndisabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime']\n\n[grpc]\n  address = '{socket}'\n\n[ttrpc]\n  address = '{socket}.ttrpc'\n\n[plugins.'io.containerd.transfer.v1.local']\n  config_path = '{hosts}'\n  concurrent_layer_fetch_buffer = 1048576\n\n[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]\n  platform = 'linux/amd64'\n  snapshotter = 'native'\n",
            root = scratch.join("root").display(),
            state = scratch.join("state").display(),
            socket = scratch.join("sock").display(),
            hosts = scratch.join("hosts").display(),
        );
        let config = scratch.write("config.toml", config);
        let mut command = command_as_root(&tool("containerd"));
        command.arg("--config").arg(config);
        let mut daemon = Self { process: Process::start(command, &scratch.join("containerd.log")), scratch };
        let socket = daemon.scratch.join("sock");
        daemon.process.wait_until("answers", || ctr(&socket).args(["version"]).finish().status.success());
        daemon
    }

    /// `ctr` talking to this daemon.
    pub fn ctr(&self) -> Program {
        ctr(&self.scratch.join("sock"))
    }

    /// The folder with `hosts.toml`, for `--hosts-dir`.
    pub fn hosts(&self) -> std::path::PathBuf {
        self.scratch.join("hosts")
    }
}

fn ctr(socket: &Path) -> Program {
    Program::as_root(tool("ctr")).arg("--address").arg(socket).args(["--namespace", "story"])
}

impl Drop for Containerd {
    #[expect(clippy::print_stderr, reason = "the log helps whoever reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of containerd\n{}", self.process.log());
        }
    }
}
