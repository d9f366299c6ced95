//! Doubles of the file system, for tests: one that fails when told to, and forgets what was not synced when the power is cut.

mod faulty;
mod ledger;

pub use faulty::{Fault, FaultyFileSystem, Operation};
pub use ledger::Loss;
