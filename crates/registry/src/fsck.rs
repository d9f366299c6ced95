//! The check of everything: every row has its bytes and what it refers to, all bytes have their row or a live session, and what the
//! database keeps although it follows from something else agrees with that.
//!
//! Safe beside a running server: what looks wrong is looked at again before it is believed, and nothing is removed that was
//! touched lately. Rows are read first and storage after them, so that bytes that come meanwhile have rows to be found.

mod blobs;
mod manifests;
mod orphans;
mod references;
mod repositories;
mod sessions;
mod usage;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use berth_domain::Location;
use berth_metadata::BlobState;
use berth_oci::{Digest, ProjectName, RepositoryName, Tag};
use uuid::Uuid;

use crate::{Registry, Result};

/// Bytes that nothing names are removed only if nobody touched them for so long.
pub const UNTOUCHED_FOR: Duration = Duration::from_hours(48);

/// How many rows are read at once.
const BATCH: u32 = 500;

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether all bytes, also manifests', are read and their digests compared, and whether manifests have what they need and the
    /// database keeps of them what they say; else only that blobs are there in their length. Those that are marked as damaged are read
    /// either way.
    pub deep: bool,
    /// Whether damaged blobs are marked, so that the next push heals them, marks of good ones are taken away, what follows from something else is derived from it again,
    /// and old orphans are removed.
    pub repair: bool,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A blob's bytes are gone.
    Missing {
        /// The blob.
        digest: Digest,
        /// Where they should be.
        location: Location,
        /// Whether it was known already, so that clients do not see the blob.
        known: bool,
    },
    /// A blob's bytes are not what its digest names, or cannot be read.
    Corrupt {
        /// The blob.
        digest: Digest,
        /// Where they are; `None` if they are in the database.
        location: Option<Location>,
        /// What is wrong with them.
        reason: String,
        /// Whether it was known already, so that clients do not see the blob.
        known: bool,
    },
    /// A blob is marked as damaged, but its bytes were read and are what its digest names.
    Recovered {
        /// The blob.
        digest: Digest,
        /// How it was marked.
        marked: BlobState,
        /// Whether the mark was taken away.
        repaired: bool,
    },
    /// A manifest's bytes, which are in the database, are not what its digest names. Only a deep check looks.
    CorruptManifest {
        /// Its repository.
        repository: RepositoryName,
        /// Its name.
        digest: Digest,
        /// What the bytes are.
        actual: Digest,
    },
    /// A manifest needs blobs that its repository had when it had the manifest, and that are gone or not good. Only a deep check looks.
    Incomplete {
        /// Its repository.
        repository: RepositoryName,
        /// Its name.
        digest: Digest,
        /// What is lacking, in words.
        lacks: String,
    },
    /// A manifest names content that the setting demands now and that its repository lacks, but did not lose as far as is known, or that
    /// came after it in another size: it was taken like this, or what an index names was deleted. Nothing is wrong with what is stored.
    /// Only a deep check looks.
    Sparse {
        /// Its repository.
        repository: RepositoryName,
        /// Its name.
        digest: Digest,
        /// What is lacking, in words.
        lacks: String,
    },
    /// A tag names a manifest that its repository does not have: clients do not see the tag's image.
    DanglingTag {
        /// Its repository.
        repository: RepositoryName,
        /// Its name.
        tag: Tag,
        /// What it names.
        digest: Digest,
    },
    /// A repository holds a blob of which nothing is known: clients do not see it.
    DanglingLink {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// What the database keeps of a manifest, so that its bytes need not be read, is not what they say. Only a deep check looks.
    Misindexed {
        /// Its repository.
        repository: RepositoryName,
        /// Its name.
        digest: Digest,
        /// How it differs, in words.
        differs: String,
        /// Whether it is what the bytes say now.
        repaired: bool,
    },
    /// A number that the database keeps is not what it counts.
    Miscounted {
        /// What is counted.
        what: Counted,
        /// What was kept.
        kept: i64,
        /// What there is.
        actual: i64,
        /// Whether that is kept now.
        repaired: bool,
    },
    /// A repository is listed among those that have a manifest and has none, or has one and is not listed.
    Mislisted {
        /// The repository.
        repository: RepositoryName,
        /// Whether it was listed.
        listed: bool,
        /// Whether that was put right.
        repaired: bool,
    },
    /// Bytes of an unfinished upload are gone: its client has to start anew.
    LostUpload {
        /// The session.
        id: Uuid,
        /// Where they should be.
        location: Location,
    },
    /// Bytes that no row and no session names, touched so lately that a push under way may be about to name them, or a process
    /// that was killed left them. Nothing is wrong yet.
    Recent {
        /// Where they are.
        location: Location,
        /// How many.
        size: u64,
    },
    /// Bytes that no row and no session names, and that nobody touched for [`UNTOUCHED_FOR`].
    Orphan {
        /// Where they are.
        location: Location,
        /// How many.
        size: u64,
        /// Whether they were removed.
        removed: bool,
    },
    /// Something lies among what storage holds that storage never made. It is left alone.
    Foreign {
        /// Where it is.
        place: String,
    },
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Links that bring a blob into a project.
    Links {
        /// The project.
        project: ProjectName,
        /// The blob.
        digest: Digest,
    },
    /// Bytes of a blob, as a project has it.
    Size {
        /// The project.
        project: ProjectName,
        /// The blob.
        digest: Digest,
    },
    /// Bytes of all blobs of a project, each once.
    Bytes(ProjectName),
    /// Manifests of a repository.
    Manifests(RepositoryName),
    /// Tags of a repository.
    Tags(RepositoryName),
    /// Pulls from a repository.
    Pulls(RepositoryName),
}

/// What was seen in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Manifests, if the check was deep.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Blobs of repositories, each as often as repositories hold it.
    pub links: u64,
    /// Sessions that may go on.
    pub sessions: u64,
    /// Things that storage holds.
    pub stored: u64,
    /// [`Finding::Missing`].
    pub missing: u64,
    /// [`Finding::Corrupt`] and [`Finding::CorruptManifest`].
    pub corrupt: u64,
    /// [`Finding::Incomplete`].
    pub incomplete: u64,
    /// [`Finding::Sparse`].
    pub sparse: u64,
    /// [`Finding::DanglingTag`] and [`Finding::DanglingLink`].
    pub dangling: u64,
    /// [`Finding::Misindexed`], [`Finding::Miscounted`] and [`Finding::Mislisted`].
    pub inconsistent: u64,
    /// How many of those were put right.
    pub repaired: u64,
    /// [`Finding::Recovered`].
    pub recovered: u64,
    /// [`Finding::LostUpload`].
    pub lost_uploads: u64,
    /// [`Finding::Recent`].
    pub recent: u64,
    /// [`Finding::Orphan`].
    pub orphans: u64,
    /// How many of those were removed.
    pub removed: u64,
    /// [`Finding::Foreign`].
    pub foreign: u64,
}

impl Report {
    /// Whether everything that was ever acknowledged is there, and what follows from it agrees. Orphans and uploads that have to start
    /// anew do not count, because a process that was killed leaves them, nor do foreign things.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.missing == 0
            && self.corrupt == 0
            && self.incomplete == 0
            && self.dangling == 0
            && self.inconsistent == 0
    }

    /// Whether nothing was found that somebody should look at; [`Finding::Recent`] and [`Finding::Sparse`] are nothing of the kind.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.is_sound()
            && self.recovered == 0
            && self.lost_uploads == 0
            && self.orphans == 0
            && self.foreign == 0
    }
}

/// Where findings go as they are made.
pub type Sink<'a> = &'a mut (dyn FnMut(&Finding) + Send);

/// One run.
struct Check<'a> {
    registry: &'a Registry,
    options: Options,
    sink: Sink<'a>,
    report: Report,
}

impl Registry {
    /// Checks everything. Findings go to `sink` at once; the counts come at the end.
    ///
    /// An error of the database or of storage that says nothing about any bytes ends the run.
    pub async fn fsck(&self, options: Options, sink: Sink<'_>) -> Result<Report> {
        let mut check = Check { registry: self, options, sink, report: Report::default() };
        let mut named = Named::default();
        check.sessions(&mut named).await?;
        check.blobs(&mut named).await?;
        check.links().await?;
        check.tags().await?;
        check.repositories().await?;
        if options.deep {
            check.manifests().await?;
        }
        check.orphans(&named).await?;
        Ok(check.report)
    }
}

impl Check<'_> {
    fn find(&mut self, finding: &Finding) {
        match finding {
            Finding::Missing { .. } => self.report.missing += 1,
            Finding::Corrupt { .. } | Finding::CorruptManifest { .. } => self.report.corrupt += 1,
            Finding::Incomplete { .. } => self.report.incomplete += 1,
            Finding::Sparse { .. } => self.report.sparse += 1,
            Finding::DanglingTag { .. } | Finding::DanglingLink { .. } => self.report.dangling += 1,
            Finding::Misindexed { repaired, .. }
            | Finding::Miscounted { repaired, .. }
            | Finding::Mislisted { repaired, .. } => {
                self.report.inconsistent += 1;
                self.report.repaired += u64::from(*repaired);
            }
            Finding::Recovered { .. } => self.report.recovered += 1,
            Finding::LostUpload { .. } => self.report.lost_uploads += 1,
            Finding::Recent { .. } => self.report.recent += 1,
            Finding::Orphan { removed, .. } => {
                self.report.orphans += 1;
                self.report.removed += u64::from(*removed);
            }
            Finding::Foreign { .. } => self.report.foreign += 1,
        }
        (self.sink)(finding);
    }
}

/// The locations that rows name, as hashes: millions of them fit in memory. Two that meet hide an orphan, no more.
#[derive(Default)]
struct Named {
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Named {
    fn add(&mut self, location: &Location) {
        self.hashes.insert(self.hasher.hash_one(location));
    }

    fn has(&self, location: &Location) -> bool {
        self.hashes.contains(&self.hasher.hash_one(location))
    }
}
