//! What the tests need on the machine: Debian's packages, a current Go, and pinned programs built once into the user's cache.

mod debian;
mod go;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::{process, report};

pub(crate) use debian::{BENCH, FUZZ, TESTS, ensure as ensure_packages};

/// The pins, read by the testkit too.
const LIST: &str = include_str!("../../../tests/tools.list");

/// One line of the list.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    how: How,
    called: &'static str,
    folder: &'static str,
    package: &'static str,
    version: &'static str,
    program: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Cargo,
    Go,
    Module,
}

impl Tool {
    /// Where the program lies once it is built.
    fn path(&self, context: &Context) -> PathBuf {
        self.root(context).join("bin").join(self.program)
    }

    fn root(&self, context: &Context) -> PathBuf {
        context.tools().join(self.folder)
    }
}

/// Every pinned program.
pub(crate) fn all() -> Result<Vec<Tool>> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(parse).collect()
}

fn parse(line: &'static str) -> Result<Tool> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [how, called, folder, package, version, program] = words[..] else {
        bail!("tests/tools.list: six words a line, not `{line}`");
    };
    let how = match how {
        "cargo" => How::Cargo,
        "go" => How::Go,
        "module" => How::Module,
        other => bail!("tests/tools.list: built by cargo, go or module, not by `{other}`"),
    };
    Ok(Tool { how, called, folder, package, version, program })
}

/// The path of a pinned program, which is built first if it is not there.
pub(crate) fn ensure(context: &Context, called: &str) -> Result<PathBuf> {
    let tool = all()?.into_iter().find(|tool| tool.called == called);
    let tool = tool.with_context(|| format!("tests/tools.list does not name {called}"))?;
    build(context, &tool)?;
    Ok(tool.path(context))
}

/// Builds every pinned program that is not there. How many there are.
pub(crate) fn ensure_all(context: &Context) -> Result<usize> {
    let tools = all()?;
    let mut failed = Vec::new();
    for tool in &tools {
        if let Err(error) = build(context, tool) {
            report::say(&format!("cannot install {} {}: {error:#}", tool.called, tool.version));
            failed.push(format!("{} {}", tool.called, tool.version));
        }
    }
    if !failed.is_empty() {
        bail!("could not be installed: {}", failed.join(", "));
    }
    Ok(tools.len())
}

fn build(context: &Context, tool: &Tool) -> Result<()> {
    let path = tool.path(context);
    if path.is_file() {
        return Ok(());
    }
    report::say(&format!("building {} {}, once", tool.called, tool.version));
    fs::create_dir_all(tool.root(context).join("bin"))?;
    match tool.how {
        How::Cargo => build_with_cargo(context, tool)?,
        How::Go => build_with_go(context, tool)?,
        How::Module => build_in_a_module(context, tool)?,
    }
    if !path.is_file() {
        bail!("{} was built but is not at {}", tool.called, path.display());
    }
    Ok(())
}

/// They are built more often than their speed is felt: on two cores, optimising them as for a release takes minutes each.
const QUICKLY_BUILT: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

fn build_with_cargo(context: &Context, tool: &Tool) -> Result<()> {
    // A folder of its own, thrown away afterwards: it would double the size of the project's.
    let scratch = tempfile::tempdir_in(context.tools())?;
    let mut command = process::cargo(context);
    command.args(["install", "--quiet", "--locked", tool.package, "--version", tool.version]);
    command.arg("--root").arg(tool.root(context)).env("CARGO_TARGET_DIR", scratch.path());
    command.envs(QUICKLY_BUILT);
    if tool.called == "cargo-nextest" {
        // Without the self-updater.
        command.args(["--no-default-features", "--features", "default-no-update"]);
    }
    process::run(&mut command)
}

fn build_with_go(context: &Context, tool: &Tool) -> Result<()> {
    let mut command = go(context, &context.tools())?;
    command.arg("install").arg(format!("{}@{}", tool.package, tool.version));
    process::run(command.env("GOBIN", bin(&tool.root(context))))
}

/// In a module that requires the program's, whose own versions of everything else count as with `go install`.
fn build_in_a_module(context: &Context, tool: &Tool) -> Result<()> {
    let module = tempfile::tempdir_in(context.tools())?;
    fs::write(module.path().join("go.mod"), "module berth.invalid/tool\n")?;
    let required = format!("{}@{}", tool.package, tool.version);
    process::run(go(context, module.path())?.args(["get", &required]))?;
    let mut build = go(context, module.path())?;
    build.arg("build").arg("-o").arg(tool.path(context)).arg(tool.package);
    process::run(&mut build)
}

fn go(context: &Context, folder: &Path) -> Result<Command> {
    let mut command = Command::new(go::ensure(context)?);
    command.env("GOFLAGS", "-mod=mod").env("CGO_ENABLED", "0");
    // A fifth of a compiler's time goes into collecting garbage, of which it makes less than the machine has room for.
    command.env("GOGC", "400");
    command.env_remove("GOOS").env_remove("GOARCH").current_dir(folder);
    Ok(command)
}

fn bin(root: &Path) -> PathBuf {
    root.join("bin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_a_tool_with_a_folder_of_its_own() {
        let tools = all().expect("the list");
        let folders: std::collections::BTreeSet<_> = tools.iter().map(|tool| tool.folder).collect();
        assert!(tools.len() > 10);
        assert_eq!(folders.len(), tools.len());
        assert!(tools.iter().all(|tool| tool.folder.contains('-')));
    }

    #[test]
    fn a_line_with_a_word_too_few_is_refused() {
        assert!(parse("go crane crane-1 example.org/crane v1").is_err());
        assert!(parse("pip crane crane-1 example.org/crane v1 crane").is_err());
    }
}
