//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is kept for the database, blobs being read and written, and the program itself.
const RESERVED: u64 = 512;

/// Raises the limit as far as the system allows, and says how many connections fit under it, `wanted` at most.
pub(crate) fn connections(wanted: u32) -> u32 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let Some(files) = now else { return wanted };
    let room = u32::try_from(files.saturating_sub(RESERVED).max(files / 2)).unwrap_or(u32::MAX);
    if room < wanted {
        tracing::warn!(
            files,
            connections = room,
            wanted,
            "the limit of open files (ulimit -n) allows fewer connections than server.max_connections"
        );
    }
    room.min(wanted)
}
