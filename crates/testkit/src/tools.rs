//! Finding the programs that `cargo xtask test` installs.

use std::env;
use std::path::{Path, PathBuf};

/// The pins that `cargo xtask` builds by.
const LIST: &str = include_str!("../../../tests/tools.list");

/// The path of a pinned program, by the name in `tests/tools.list`.
#[track_caller]
pub fn tool(called: &str) -> PathBuf {
    let lines = LIST.lines().filter(|line| !line.starts_with('#'));
    let mut words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = words.find(|words| words.get(1) == Some(&called));
    let line = line.unwrap_or_else(|| panic!("tests/tools.list does not name {called}"));
    let path = cache().join("tools").join(line[2]).join("bin").join(line[5]);
    assert!(path.is_file(), "{} is missing: run `cargo xtask test --only tools`", path.display());
    path
}

/// The path of a program of the machine, also of those that only root runs.
#[track_caller]
pub fn system(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found =
        env::split_paths(&path).chain(system).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed: run `cargo xtask test --only tools`"))
}

/// Whether the long form of a test was asked for (`cargo xtask test --soak`).
pub fn is_soak() -> bool {
    env::var_os("TESTKIT_SOAK").is_some()
}

/// The `berth` binary: as told by `TESTKIT_BERTH`, or beside the running test in the target directory.
#[track_caller]
pub(crate) fn berth() -> PathBuf {
    let beside = || {
        let test = env::current_exe().expect("a test knows its own path");
        test.ancestors()
            .find(|folder| folder.ends_with("debug") || folder.ends_with("release"))
            .map(|folder| folder.join("berth"))
    };
    let path = env::var_os("TESTKIT_BERTH").map(PathBuf::from).or_else(beside);
    let path = path.expect("a test lies in cargo's target directory");
    assert!(Path::is_file(&path), "{} is missing: run `cargo build --package berth-cli`", path.display());
    path
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache");
    env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map_or_else(home, PathBuf::from)
        .join("berth")
}
