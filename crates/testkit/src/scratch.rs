//! A temporary folder and free ports.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// A temporary folder that goes with this value. Its path is short, for the sake of UNIX sockets.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// A new, empty folder.
    pub fn new() -> Self {
        Self(
            tempfile::Builder::new().prefix("bt-").tempdir().expect("the temporary directory can be written"),
        )
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path inside; nothing is made.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Makes a folder inside.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).expect("a scratch folder can be made");
        path
    }

    /// Writes a file inside.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("inside the scratch folder"))
            .expect("a scratch folder can be made");
        fs::write(&path, content).expect("a scratch file can be written");
        path
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Where ports are taken from: below those that the kernel gives to outgoing connections, so that a server that is started again
/// finds its port free.
const PORTS: std::ops::Range<u32> = 20_000..32_000;

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let span = PORTS.end - PORTS.start;
    for _ in 0..span {
        // Tests run in processes of their own: each begins at another place.
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (std::process::id().wrapping_mul(31).wrapping_add(step)) % span;
        let port = u16::try_from(port).expect("below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free in {PORTS:?}");
}
