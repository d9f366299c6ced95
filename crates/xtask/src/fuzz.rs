//! `cargo xtask fuzz`: libFuzzer against every parser of untrusted input, with the pinned stable compiler.
//!
//! What cargo-fuzz takes a nightly compiler for is a sanitizer, which code without `unsafe` has little use for. The coverage that
//! libFuzzer is guided by is a pass of LLVM that the stable compiler runs too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::context::Context;
use crate::{process, report, tools};

/// What makes a build report its coverage and fail where it would only wrap.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Runs one target, or all of them in turn, each for so many seconds; the first finding ends it. What was learnt is kept in the
/// target directory and built on the next time.
pub(crate) fn run(context: &Context, target: Option<&str>, seconds: u64) -> Result<()> {
    tools::ensure_packages(tools::FUZZ)?;
    let manifest = manifest(context)?;
    let mut targets = targets(&manifest)?;
    if let Some(target) = target {
        if !targets.iter().any(|known| known == target) {
            bail!("there is no target {target}; there are {}", targets.join(", "));
        }
        targets = vec![target.to_owned()];
    }
    let folder = context.target().join("fuzz");
    for target in targets {
        report::say(&format!("fuzzing {target} for {seconds} s"));
        let corpus = folder.join("corpus").join(&target);
        let findings = folder.join("findings").join(&target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&findings)?;
        let mut command = process::cargo(context);
        // A target that is named keeps the flags away from build scripts and macros, which run in the compiler.
        command.args(["run", "--quiet", "--release", "--target", "host-tuple", "--bin", &target]);
        command.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&folder);
        command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
        command.arg("--").arg(&corpus);
        // What is too long to be found by chance.
        let seeds = context.root().join("fuzz/seeds").join(&target);
        command.args(Some(seeds).filter(|seeds| seeds.is_dir()));
        command.arg(format!("-dict={}", context.root().join("fuzz/words.dict").display()));
        command.arg(format!("-artifact_prefix={}/", findings.display()));
        command.args(["-max_len=8192", "-print_final_stats=1", &format!("-max_total_time={seconds}")]);
        process::run(&mut command).with_context(|| {
            format!("{target} has a finding in {}: give it a unit test first", findings.display())
        })?;
    }
    Ok(())
}

/// Compiles every target, with clippy's eyes and without libFuzzer, which only those who run them need. How many there are.
pub(crate) fn check(context: &Context) -> Result<usize> {
    let manifest = manifest(context)?;
    let count = targets(&manifest)?.len();
    let mut command = process::cargo(context);
    command.args(["clippy", "--quiet", "--bins", "--no-default-features"]);
    command.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(context.target());
    process::run(command.args(["--", "--deny", "warnings"]))?;
    Ok(count)
}

/// The manifest of the targets, with the workspace's lock file beside it: what is fuzzed is what is shipped. Cargo keeps these versions
/// and adds what the targets need beside them.
fn manifest(context: &Context) -> Result<PathBuf> {
    let folder = context.root().join("fuzz");
    fs::copy(context.root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder.join("Cargo.toml"))
}

/// The names of all targets.
fn targets(manifest: &Path) -> Result<Vec<String>> {
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let metadata = metadata.context("cargo metadata does not answer for fuzz/")?;
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    Ok(targets.map(|target| target.name).collect())
}
