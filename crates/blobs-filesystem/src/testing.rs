//! Doubles of the file system, for tests: one that fails when told to, and forgets what was not synced when the power is cut; and one
//! whose writes can be looked at.

mod faulty;
mod ledger;
mod watched;

pub use faulty::{Fault, FaultyFileSystem, Operation};
pub use ledger::Loss;
pub use watched::{WatchedFileSystem, Write};
