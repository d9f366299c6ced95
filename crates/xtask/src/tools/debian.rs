//! Debian's packages, installed only where a program of theirs is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{process, report};

/// A program that shows that a package is there, and the package; where Debian's releases differ, the first one that apt offers.
type Need = (&'static str, &'static [&'static str]);

/// What the tests need.
pub(crate) const TESTS: &[Need] = &[
    ("dockerd", &["docker.io"]),
    // Its own package from Debian 13 on.
    ("docker", &["docker-cli", "docker.io"]),
    ("runc", &["runc"]),
    ("skopeo", &["skopeo"]),
    ("podman", &["podman"]),
    ("buildah", &["buildah"]),
    ("umoci", &["umoci"]),
    ("crun", &["crun"]),
    ("fuse-overlayfs", &["fuse-overlayfs"]),
    ("newuidmap", &["uidmap"]),
    ("qemu-img", &["qemu-utils"]),
    ("postgres", &["postgresql"]),
    ("openssl", &["openssl"]),
    ("mount", &["util-linux", "mount"]),
    ("mkfs.ext4", &["e2fsprogs"]),
    ("git", &["git"]),
    // For its library, which moves the clock of one process.
    ("faketime", &["faketime"]),
];

/// What only the benchmark needs, beside what the tests do.
pub(crate) const BENCH: &[Need] = &[("nginx", &["nginx-light", "nginx"]), ("wrk", &["wrk"])];

/// What only fuzzing needs: libFuzzer is C++.
pub(crate) const FUZZ: &[Need] = &[("c++", &["g++"])];

/// Makes sure that packages are installed. How many there are.
pub(crate) fn ensure(wanted: &[Need]) -> Result<usize> {
    let missing: Vec<_> = wanted.iter().filter(|(program, _)| find(program).is_none()).copied().collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    let still: Vec<_> = missing.iter().filter(|(program, _)| find(program).is_none()).collect();
    if !still.is_empty() {
        let named: Vec<_> = still.iter().map(|need| shown(need)).collect();
        bail!("installed, yet not found: {}", named.join(", "));
    }
    Ok(wanted.len())
}

/// Installs the packages of these programs.
pub(super) fn install(needs: &[Need]) -> Result<()> {
    if process::find("apt-get").is_none() {
        let named: Vec<_> = needs.iter().map(shown).collect();
        bail!("this is not Debian; install by hand: {}", named.join(", "));
    }
    process::run(as_root().args(["apt-get", "update", "-q"])).context("apt's lists cannot be fetched")?;
    let packages = choose(needs, is_offered)?;
    report::say(&format!("installing {}", packages.join(" ")));
    let mut command = as_root();
    command.args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]);
    process::run(command.arg("--no-install-recommends").args(&packages))
        .with_context(|| format!("install these as root: apt-get install {}", packages.join(" ")))
}

/// One package a program, each once; an error that names all that apt does not have.
fn choose(needs: &[Need], is_offered: impl Fn(&str) -> bool) -> Result<Vec<&'static str>> {
    let mut chosen = Vec::new();
    let mut nowhere = Vec::new();
    for need in needs {
        match need.1.iter().find(|package| is_offered(package)) {
            Some(package) if chosen.contains(package) => {}
            Some(package) => chosen.push(*package),
            None => nowhere.push(shown(need)),
        }
    }
    if !nowhere.is_empty() {
        bail!("apt offers no package for these; install them by hand: {}", nowhere.join(", "));
    }
    Ok(chosen)
}

/// Whether apt could install a package; one that others only mention has no description.
fn is_offered(package: &str) -> bool {
    let mut command = Command::new("apt-cache");
    let output = command.args(["show", "--no-all-versions", "--quiet", package]).output();
    output.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn shown((program, packages): &Need) -> String {
    format!("{program} (package {})", packages.join(" or "))
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

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &[Need] = &[("dockerd", &["docker.io"]), ("docker", &["docker-cli", "docker.io"])];

    #[test]
    fn a_release_that_splits_a_package_gets_both_and_one_that_does_not_gets_one() {
        let split = choose(DOCKER, |_| true).expect("all is offered");
        assert_eq!(split, ["docker.io", "docker-cli"]);
        let whole = choose(DOCKER, |package| package == "docker.io").expect("enough is offered");
        assert_eq!(whole, ["docker.io"]);
    }

    #[test]
    fn all_that_apt_does_not_have_is_named_at_once() {
        let error = choose(DOCKER, |_| false).expect_err("nothing is offered").to_string();
        assert!(error.contains("dockerd (package docker.io)"), "{error}");
        assert!(error.contains("docker (package docker-cli or docker.io)"), "{error}");
    }
}
