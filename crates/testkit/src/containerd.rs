//! containerd 2 with its client `ctr`, and `crictl`, which asks its CRI plugin as a kubelet does; all built as Go modules.

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
        Self::start_with(registry, false)
    }

    /// The same, whose CRI plugin pulls with its own client, as it always did before containerd 2 and still does where its
    /// configuration asks for what the transfer service cannot do.
    #[track_caller]
    pub fn start_with_local_pull(registry: &str) -> Self {
        Self::start_with(registry, true)
    }

    #[track_caller]
    fn start_with(registry: &str, local_pull: bool) -> Self {
        let scratch = Scratch::new();
        let hosts = format!(
            "server = \"http://{registry}\"\n\n[host.\"http://{registry}\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n"
        );
        scratch.write(&format!("hosts/{registry}/hosts.toml"), hosts);
        let config = scratch.write("config.toml", configuration(&scratch, local_pull));
        let mut command = command_as_root(&tool("containerd"));
        command.arg("--config").arg(config);
        let mut daemon = Self { process: Process::start(command, &scratch.join("containerd.log")), scratch };
        let socket = daemon.scratch.join("sock");
        daemon.process.wait_until("answers", || {
            let clients = [ctr(&socket).arg("version"), crictl(&socket).arg("version")];
            clients.into_iter().all(|client| client.finish().status.success())
        });
        daemon
    }

    /// `ctr` talking to this daemon.
    pub fn ctr(&self) -> Program {
        ctr(&self.scratch.join("sock"))
    }

    /// `crictl` talking to this daemon.
    pub fn crictl(&self) -> Program {
        crictl(&self.scratch.join("sock"))
    }

    /// The folder with `hosts.toml`, for `--hosts-dir`.
    pub fn hosts(&self) -> std::path::PathBuf {
        self.scratch.join("hosts")
    }
}

/// Everything lies in the scratch folder; no pod is ever run, so there is no network and nobody who adjusts containers.
fn configuration(scratch: &Scratch, local_pull: bool) -> String {
    let [root, state, socket, hosts, cni] =
        ["root", "state", "sock", "hosts", "cni"].map(|name| scratch.join(name).display().to_string());
    format!(
        "version = 3
root = '{root}'
state = '{state}'

[grpc]
  address = '{socket}'

[ttrpc]
  address = '{socket}.ttrpc'

[plugins.'io.containerd.nri.v1.nri']
  disable = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
  conf_dir = '{cni}'

[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'native'
  use_local_image_pull = {local_pull}

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '{hosts}'

[plugins.'io.containerd.transfer.v1.local']
  config_path = '{hosts}'
  concurrent_layer_fetch_buffer = 1048576

[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = 'linux/amd64'
  snapshotter = 'native'
"
    )
}

fn ctr(socket: &Path) -> Program {
    Program::as_root(tool("ctr")).arg("--address").arg(socket).args(["--namespace", "story"])
}

fn crictl(socket: &Path) -> Program {
    let socket = format!("unix://{}", socket.display());
    let crictl = Program::as_root(tool("crictl")).args(["--runtime-endpoint", &socket]);
    crictl.args(["--image-endpoint", &socket, "--timeout", "60s"])
}

impl Drop for Containerd {
    #[expect(clippy::print_stderr, reason = "the log helps whoever reads why a test failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of containerd\n{}", self.process.log());
        }
    }
}
