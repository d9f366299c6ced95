//! What can be set of the use cases.

use std::time::Duration;

use uuid::Uuid;

/// The settings; every field is read from the configuration or made at the start of the process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which content a manifest may name without the repository having it.
    pub missing_content: MissingContent,
    /// The longest manifest, in bytes.
    pub manifest_limit: usize,
    /// Blobs up to this many bytes live in the database.
    pub inline_limit: usize,
    /// How long after its last checkpoint a session goes away.
    pub upload_expiry: Duration,
    /// How long a writer may bring no bytes before another one may take its session over.
    pub takeover_after: Duration,
    /// How many bytes of an upload may come between two checkpoints.
    pub checkpoint_every: u64,
    /// How long tag history is kept.
    pub history_age: Duration,
    /// How long somebody waits for room in a budget of what is on its way out.
    pub room_timeout: Duration,
    /// The id that this process gave itself at its start.
    pub process: Uuid,
    /// Whether no other process can be alive on the same data: any writer of another process is known dead.
    pub alone: bool,
}

/// Which content a manifest may name without the repository having it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingContent {
    /// None: everything must be there first.
    None,
    /// An index may come before its children; config and layers must be there.
    Children,
    /// Any: sparse images are taken.
    Any,
}
