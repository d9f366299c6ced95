//! `berth fsck`.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use berth_registry::fsck::{Counted, Finding, Options, Report};
use berth_server::{Parts, embedded};
use clap::Args;

use crate::output;
use crate::settings::ConfigFlags;

/// Compares every row with its bytes and all bytes with their rows; its server may go on running
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth fsck
  berth fsck --deep --data /srv/berth
  berth fsck --repair --config /etc/berth.yaml

Exits with 0 if all is well, 1 if something was found, 2 if the check could not be done. \
Each line says what to do about what it found. Nothing that is lost can be made up here: damaged manifests, \
damaged blobs that --repair has hidden, and images that lack something are whole again when they are pushed again. \
What the database counts, and what it keeps of manifests to find things by, follows from what is there: --repair puts it right. \
Files that nothing names yet and that were touched in the last 48 hours are listed as recent: \
a push may be about to name them. Manifests that name what registry.missing_content demands now, and what their repository \
never had or what somebody deleted, are listed as sparse. Neither counts as found. \
Whatever else lies in the directory of blobs is listed as foreign and never removed. \
What a repository or a project has is counted in one statement: where that takes PostgreSQL longer than database.timeout, \
this ends with \"the database does not answer\"; raise it for the check with BERTH_DATABASE__TIMEOUT.")]
pub(crate) struct Fsck {
    /// Read all bytes and compare their digests, not only their lengths and what is marked as damaged; also manifests, and whether
    /// they have what they demand
    #[arg(long)]
    deep: bool,
    /// Hide damaged blobs, so that the next push heals them, and show hidden ones again whose bytes are right; put right what the
    /// database counts or keeps to find things by; remove what nothing names and nobody touched for 48 hours
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Fsck {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let config = self.flags.load(Vec::new())?.config;
        if config.embedded_database().is_some() {
            embedded::existing_database(&config)?;
        }
        // A server may run on the same data.
        let registry =
            if self.repair { Parts::unguarded(&config).await? } else { Parts::to_look(&config).await? };
        let options = Options { deep: self.deep, repair: self.repair };
        let mut sink = |finding: &Finding| output::say(&described(finding, options));
        let report = registry.fsck(options, &mut sink).await;
        registry.close().await;
        let report = report?;
        output::say(&summary(&report));
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// What was found, and what is to be done about it.
fn described(finding: &Finding, options: Options) -> String {
    // A mark hides the blob from clients, who then push it again, and from the images that are looked at after it.
    let remedy = |known: bool| match (known || options.repair, options.deep) {
        (true, true) => {
            "clients do not see it until it is pushed again; images that lack it are listed below"
        }
        (true, false) => {
            "clients do not see it until it is pushed again; --deep lists the images that lack it"
        }
        (false, _) => {
            "run with --deep --repair to hide it and to list the images that lack it, and push those again"
        }
    };
    match finding {
        Finding::Missing { digest, location, known } => {
            format!("missing: {digest}: there is nothing at {location}; {}", remedy(*known))
        }
        Finding::Corrupt { digest, location, reason, known } => {
            let place = location.as_ref().map_or("in the database".to_owned(), |at| format!("at {at}"));
            format!("corrupt: {digest}: {reason}, {place}; {}", remedy(*known))
        }
        Finding::Recovered { digest, repaired, .. } => {
            let done = if *repaired {
                "clients see it again"
            } else {
                "run with --repair to show it to clients again"
            };
            format!("recovered: {digest}: its bytes are right after all; {done}")
        }
        Finding::CorruptManifest { repository, digest, actual } => format!(
            "corrupt: manifest {repository}@{digest}: the bytes in the database have the digest {actual}; clients do not see it until the image is pushed again"
        ),
        Finding::Incomplete { repository, digest, lacks } => {
            format!("incomplete: manifest {repository}@{digest}: {lacks}; push the image again")
        }
        Finding::Sparse { repository, digest, lacks } => format!(
            "sparse: manifest {repository}@{digest}: {lacks}; it was pushed like this, or that was deleted since: whoever misses it pushes it"
        ),
        Finding::DanglingTag { repository, tag, digest } => format!(
            "dangling: {repository}:{tag} names {digest}, which is not in the repository; push the image again, or delete the tag"
        ),
        Finding::DanglingLink { repository, digest } => format!(
            "dangling: {repository} holds {digest}, of which nothing is known; push it again (--deep lists the images that lack it)"
        ),
        Finding::Misindexed { repository, digest, differs, repaired } => {
            let done = put_right(*repaired, "--deep --repair");
            format!("inconsistent: manifest {repository}@{digest}: in the database, {differs}; {done}")
        }
        Finding::Miscounted { what, kept, actual, repaired } => {
            let done = put_right(*repaired, "--repair");
            format!("inconsistent: {} is kept as {kept} and is {actual}; {done}", counted(what))
        }
        Finding::Mislisted { repository, listed, repaired } => {
            let so =
                if *listed { "is listed and has no manifest" } else { "has manifests and is not listed" };
            format!("inconsistent: {repository} {so}; {}", put_right(*repaired, "--repair"))
        }
        Finding::LostUpload { id, location } => {
            format!("lost upload: {id}: there is nothing at {location}; its client has to start anew")
        }
        Finding::Recent { location, size } => {
            format!("recent: {location}: nothing names these {size} bytes yet; left alone for 48 hours")
        }
        Finding::Orphan { location, size, removed } => {
            let done = if *removed { "removed" } else { "run with --repair to remove them" };
            format!("orphan: {location}: nothing names these {size} bytes; {done}")
        }
        Finding::Foreign { place } => {
            format!("foreign: {place}: Berth did not put this there and leaves it alone; move it elsewhere")
        }
    }
}

fn put_right(repaired: bool, flags: &str) -> String {
    if repaired { "put right".to_owned() } else { format!("run with {flags} to put it right") }
}

fn counted(what: &Counted) -> String {
    match what {
        Counted::Links { project, digest } => {
            format!("the number of repositories in {project} that hold {digest}")
        }
        Counted::Size { project, digest } => format!("the size of {digest} in {project}"),
        Counted::Bytes(project) => format!("the number of bytes in {project}"),
        Counted::Manifests(repository) => format!("the number of manifests in {repository}"),
        Counted::Tags(repository) => format!("the number of tags in {repository}"),
        Counted::Pulls(repository) => format!("the number of pulls from {repository}"),
    }
}

fn summary(report: &Report) -> String {
    let Report { blobs, bytes, links, tags, manifests, sessions, stored, .. } = report;
    let mut looked_at = format!(
        "looked at {blobs} blobs ({bytes} bytes, {links} links), {tags} tags, {sessions} uploads, {stored} stored files"
    );
    if *manifests > 0 {
        let _ = write!(looked_at, ", {manifests} manifests");
    }
    if report.sparse > 0 {
        let _ = write!(looked_at, " ({} of them sparse)", report.sparse);
    }
    if report.recent > 0 {
        let _ = write!(looked_at, " ({} recent ones without a name)", report.recent);
    }
    if report.is_clean() {
        return format!("{looked_at}: all is well");
    }
    let Report { missing, corrupt, incomplete, dangling, inconsistent, repaired, .. } = report;
    let Report { recovered, lost_uploads, orphans, removed, foreign, .. } = report;
    format!(
        "{looked_at}: {missing} missing, {corrupt} corrupt, {incomplete} incomplete, {dangling} dangling, {inconsistent} inconsistent \
         ({repaired} put right), {recovered} recovered, {lost_uploads} lost uploads, {orphans} orphans ({removed} removed), \
         {foreign} foreign"
    )
}
