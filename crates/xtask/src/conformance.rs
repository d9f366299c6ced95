//! `cargo xtask conformance`: the official OCI suite against the binary, once a profile.
//!
//! The suite ends with success when its own configuration is wrong, and an answer that means "not supported" never lowers its
//! verdict. So its results are read here: the file must exist, and FAIL, Error and Skip must all be zero.

mod results;
mod server;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::{process, report, tools};
use results::Results;
use server::Server;

/// The versions of the specification that the suite knows.
const PROFILES: [&str; 3] = ["1.0", "1.1", "dev"];

/// Builds the binary and runs every profile.
pub(crate) fn run(context: &Context) -> Result<()> {
    process::run(process::cargo(context).args(["build", "--quiet", "--package", "berth-cli"]))?;
    let passed = all_profiles(context)?;
    report::say(&format!("conformance: {passed} passed, 0 failed"));
    Ok(())
}

/// Runs every profile against the binary that is there. How many checks passed.
pub(crate) fn all_profiles(context: &Context) -> Result<usize> {
    let suite = tools::ensure(context, "conformance")?;
    let mut passed = 0;
    for profile in PROFILES {
        let folder = context.target().join("conformance").join(profile);
        passed += one_profile(context, &suite, profile, &folder)
            .with_context(|| format!("profile {profile}; its report is {}/report.html", folder.display()))?;
    }
    Ok(passed)
}

fn one_profile(context: &Context, suite: &Path, profile: &str, folder: &Path) -> Result<usize> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let server = Server::start(&context.binary(), folder)?;
    let output = folder.join("output.txt");
    let writer = File::create(&output)?;
    let mut command = Command::new(suite);
    command.current_dir(folder).stdout(writer.try_clone()?).stderr(writer);
    command.env("OCI_REGISTRY", server.address()).env("OCI_TLS", "disabled").env("OCI_VERSION", profile);
    command.env("OCI_REPO1", "conformance/first").env("OCI_REPO2", "conformance/second");
    command.env("OCI_USERNAME", "admin").env("OCI_PASSWORD", server::PASSWORD);
    command.env("OCI_DATA_SPARSE", "true").env("OCI_RESULTS_DIR", folder);
    let ended = command.status().context("cannot start the conformance suite")?;
    drop(server);

    let summary = fs::read_to_string(&output)?;
    let rows = fs::read_to_string(folder.join("results.yaml")).context("the suite left no results.yaml")?;
    let results = Results::read(&summary, &rows)?;
    report::say(&format!("  {profile}: {results}"));
    let complaints = results.complaints();
    if !complaints.is_empty() || !ended.success() {
        bail!("the suite ended with {ended}; not passed: {}", complaints.join(", "));
    }
    Ok(results.passed())
}
