//! Doubles of the file system, for tests: one that fails when told to, and forgets what was not synced when the power is cut; and one
//! with something around its writes, which may be a look at them.

mod around;
mod faulty;
mod ledger;
mod watched;

pub use around::{AroundWrite, AroundWrites};
pub use faulty::{Fault, FaultyFileSystem, Operation};
pub use ledger::Loss;
pub use watched::{WatchedWrites, Write};
