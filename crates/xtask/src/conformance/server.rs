//! The binary, started for one run of the suite on a data directory of its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a start may take; this machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The administrator's password.
pub(super) const PASSWORD: &str = "Conf0rmance suite";

/// A server that ends with this value.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: String,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts the binary and waits until it is ready; its log goes into `folder`.
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let data = tempfile::tempdir()?;
        // Bound and let go: the kernel does not hand the same port out again soon.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let log = File::create(folder.join("server.log"))?;
        let child = Command::new(binary)
            .args(["serve", "--listen", &address, "--data"])
            .arg(data.path())
            .env("BERTH_REGISTRY__MISSING_CONTENT", "any")
            .env("BERTH_ADMIN_PASSWORD", PASSWORD)
            // The suite's repositories lie in a project of their own, which is private.
            .env("BERTH_PROJECTS__CREATE_ON_PUSH", "true")
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Self { child, address, _data: data };
        server.wait_until_ready().with_context(|| format!("see {}/server.log", folder.display()))?;
        Ok(server)
    }

    /// `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if self.is_ready().unwrap_or(false) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the server was not ready within {} s", PATIENCE.as_secs())
    }

    fn is_ready(&self) -> Result<bool> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
