//! A file system that works on real files, fails when told to, and can lose power.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use file::{FaultyFile, FaultyReader};

use super::ledger::{Id, Ledger, Loss};
use crate::file_system::{FileSystem, LocalFileSystem, ReadableFile, WritableFile};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `ENOSPC`: no room is left.
    Full,
    /// `EIO`: the disk does not do what it is told.
    BadDisk,
    /// `EROFS`: mounted read-only.
    ReadOnly,
    /// `EMFILE`: the process has no file descriptors left.
    TooManyOpenFiles,
    /// `EACCES`: the process lacks the permission.
    NotPermitted,
    /// `EINVAL`: the file system has no such thing.
    Unsupported,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 6] = [
        Self::Full,
        Self::BadDisk,
        Self::ReadOnly,
        Self::TooManyOpenFiles,
        Self::NotPermitted,
        Self::Unsupported,
    ];

    fn error(self) -> io::Error {
        let errno = match self {
            Self::Full => Errno::NOSPC,
            Self::BadDisk => Errno::IO,
            Self::ReadOnly => Errno::ROFS,
            Self::TooManyOpenFiles => Errno::MFILE,
            Self::NotPermitted => Errno::ACCESS,
            Self::Unsupported => Errno::INVAL,
        };
        errno.into()
    }
}

/// The kinds of steps that can fail. Reading is none of those that are counted: it changes nothing that could be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a method of the seam")]
pub enum Operation {
    MakeDirectory,
    SyncDirectory,
    Create,
    OpenForWriting,
    Open,
    Read,
    Rename,
    Remove,
    /// Takes two steps, one for each half, as far as there are two: a fault may come when a part is written.
    Write,
    Truncate,
    SetDirect,
    SetMode,
    Sync,
}

/// A file system over real files whose faults a test owns. Cheap to clone: all clones are one.
///
/// It knows of nothing that was there before it: that counts as durable.
#[derive(Clone, Debug)]
pub struct FaultyFileSystem {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// How many steps were taken or failed.
    steps: u64,
    plan: Plan,
    /// Where the plan's fault came about first.
    struck: Option<Operation>,
    /// How often the power was cut: a file that was open then is lost.
    crashes: u64,
    /// What was opened for reading, each time.
    opened: Vec<PathBuf>,
    ledger: Ledger,
}

#[derive(Clone, Debug)]
enum Plan {
    Healthy,
    /// One step fails.
    Once(u64, Fault),
    /// From one step on, everything fails.
    From(u64, Fault),
    /// Steps of these kinds fail.
    Kinds(Vec<Operation>, Fault),
    /// So many reads of what lies below a path fail.
    Reads(PathBuf, u64, Fault),
}

impl State {
    /// The fault that a step of this kind on this path meets now.
    fn meet(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        let step = self.steps;
        let reads = operation == Operation::Read;
        self.steps += u64::from(!reads);
        let fault = match &mut self.plan {
            Plan::Once(at, fault) if !reads && *at == step => *fault,
            Plan::From(at, fault) if *at <= step => *fault,
            Plan::Kinds(kinds, fault) if kinds.contains(&operation) => *fault,
            Plan::Reads(below, left, fault) if reads && *left > 0 && path.starts_with(&*below) => {
                *left -= 1;
                *fault
            }
            _ => return Ok(()),
        };
        self.struck.get_or_insert(operation);
        Err(fault.error())
    }
}

impl FaultyFileSystem {
    /// A file system without faults, for now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a double is made knowingly")]
    pub fn new() -> Self {
        let ledger = Ledger::default();
        let state =
            State { steps: 0, plan: Plan::Healthy, struck: None, crashes: 0, opened: Vec::new(), ledger };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The `nth` step from now on fails, counted from 0.
    pub fn fail_once(&self, nth: u64, fault: Fault) {
        let mut state = self.state();
        state.plan = Plan::Once(state.steps + nth, fault);
    }

    /// Nothing works any more from the `nth` step on, counted from 0, as when the power goes.
    pub fn cut_power(&self, nth: u64) {
        let mut state = self.state();
        state.plan = Plan::From(state.steps + nth, Fault::BadDisk);
    }

    /// All steps of these kinds fail until [`FaultyFileSystem::heal`].
    pub fn fail_all(&self, kinds: &[Operation], fault: Fault) {
        self.state().plan = Plan::Kinds(kinds.to_vec(), fault);
    }

    /// All reads of what lies at or below `path` fail until [`FaultyFileSystem::heal`].
    pub fn fail_reads(&self, path: &Path, fault: Fault) {
        self.fail_some_reads(path, u64::MAX, fault);
    }

    /// The same, but only so many of them.
    pub fn fail_some_reads(&self, path: &Path, reads: u64, fault: Fault) {
        self.state().plan = Plan::Reads(path.to_path_buf(), reads, fault);
    }

    /// What was opened for reading so far, as often as it was.
    #[must_use]
    pub fn opened(&self) -> Vec<PathBuf> {
        self.state().opened.clone()
    }

    /// Whether a planned fault came about since the last [`FaultyFileSystem::heal`].
    #[must_use]
    pub fn struck(&self) -> bool {
        self.struck_at().is_some()
    }

    /// At which kind of step it came about first.
    #[must_use]
    pub fn struck_at(&self) -> Option<Operation> {
        self.state().struck
    }

    /// No more faults.
    pub fn heal(&self) {
        let mut state = self.state();
        state.plan = Plan::Healthy;
        state.struck = None;
    }

    /// Leaves on the disk what a loss of power leaves. Whoever has a file open for writing cannot write to it any more.
    ///
    /// # Panics
    /// If the real files cannot be brought into that state.
    pub fn crash(&self, loss: Loss) {
        let mut state = self.state();
        state.crashes += 1;
        state.ledger.crash(loss).expect("the test's own directory can be written to");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one step: `real` does it, unless the plan says that it fails.
    fn step<T>(
        &self,
        operation: Operation,
        path: &Path,
        real: impl FnOnce(&mut Ledger, u64) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state();
        state.meet(operation, path)?;
        let crashes = state.crashes;
        real(&mut state.ledger, crashes)
    }

    fn file(&self, path: &Path, id: Id, crashes: u64, real: Box<dyn WritableFile>) -> Box<dyn WritableFile> {
        Box::new(FaultyFile { files: self.clone(), opened_at: path.to_path_buf(), id, crashes, real })
    }
}

impl FileSystem for FaultyFileSystem {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::MakeDirectory, path, |ledger, _| {
            let known = path.exists();
            LocalFileSystem.make_directory(path)?;
            if !known {
                ledger.made_directory(path);
            }
            Ok(())
        })
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::SyncDirectory, path, |ledger, _| {
            LocalFileSystem.sync_directory(path)?;
            ledger.synced_directory(path);
            Ok(())
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        let (id, crashes, real) = self.step(Operation::Create, path, |ledger, crashes| {
            let real = LocalFileSystem.create(path)?;
            Ok((ledger.created(path), crashes, real))
        })?;
        Ok(self.file(path, id, crashes, real))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn WritableFile>> {
        let (id, crashes, real) = self.step(Operation::OpenForWriting, path, |ledger, crashes| {
            let id = ledger.meet(path)?;
            Ok((id, crashes, LocalFileSystem.open_for_writing(path)?))
        })?;
        Ok(self.file(path, id, crashes, real))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadableFile>> {
        let real = self.step(Operation::Open, path, |_, _| LocalFileSystem.open(path))?;
        self.state().opened.push(path.to_path_buf());
        Ok(Box::new(FaultyReader { files: self.clone(), opened_at: path.to_path_buf(), real }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Operation::Rename, from, |ledger, _| {
            let id = ledger.meet(from)?;
            LocalFileSystem.rename(from, to)?;
            ledger.renamed(id, from, to);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Operation::Remove, path, |ledger, _| {
            ledger.meet(path)?;
            LocalFileSystem.remove(path)?;
            ledger.removed(path);
            Ok(())
        })
    }
}
