//! Debian's packages, installed only where a program of theirs is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{process, report};

/// A package and the program that shows that it is there.
const TESTS: &[(&str, &str)] = &[
    ("docker.io", "dockerd"),
    ("runc", "runc"),
    ("skopeo", "skopeo"),
    ("podman", "podman"),
    ("buildah", "buildah"),
    ("umoci", "umoci"),
    ("crun", "crun"),
    ("fuse-overlayfs", "fuse-overlayfs"),
    ("uidmap", "newuidmap"),
    ("qemu-utils", "qemu-img"),
    ("postgresql", "postgres"),
    ("openssl", "openssl"),
    ("util-linux", "mount"),
    ("git", "git"),
];

/// What only the benchmark needs.
pub(crate) const BENCH: &[(&str, &str)] = &[("nginx-light", "nginx"), ("wrk", "wrk")];

/// Makes sure that the tests' packages are installed. How many there are.
pub(crate) fn ensure(more: &[(&str, &str)]) -> Result<usize> {
    let wanted: Vec<_> = TESTS.iter().chain(more).collect();
    let missing: Vec<_> =
        wanted.iter().filter(|(_, program)| find(program).is_none()).map(|(package, _)| *package).collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    let still: Vec<_> = wanted.iter().filter(|(_, program)| find(program).is_none()).collect();
    if !still.is_empty() {
        let named: Vec<_> =
            still.iter().map(|(package, program)| format!("{program} (package {package})")).collect();
        bail!("installed, yet not found: {}", named.join(", "));
    }
    Ok(wanted.len())
}

fn install(packages: &[&str]) -> Result<()> {
    if process::find("apt-get").is_none() {
        bail!("this is not Debian; install by hand what these packages bring: {}", packages.join(" "));
    }
    report::say(&format!("installing {}", packages.join(" ")));
    let attempt = process::run(as_root().args(["apt-get", "update", "-q"])).and_then(|()| {
        let mut command = as_root();
        command.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]);
        process::run(command.arg("--no-install-recommends").args(packages))
    });
    attempt.map_err(|error| {
        error.context(format!("install these as root: apt-get install {}", packages.join(" ")))
    })
}

/// `env` as root: directly, or by `sudo` that asks nothing.
fn as_root() -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let mut command = Command::new("sudo");
    command.arg("-n");
    command
}

/// Where a program lies; PostgreSQL's are in folders of their own, one a version.
fn find(program: &str) -> Option<PathBuf> {
    process::find(program).or_else(|| {
        let versions = Path::new("/usr/lib/postgresql").read_dir().ok()?;
        versions
            .filter_map(Result::ok)
            .map(|version| version.path().join("bin").join(program))
            .find(|file| file.is_file())
    })
}
