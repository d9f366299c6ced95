//! The registry's rules.

use std::time::Duration;

use crate::value::{MissingContent, Size};
use crate::{Finding, setting};

setting::table! {
    /// The registry's rules.
    pub struct Registry(registry) {
        /// Which content a manifest may name before it was pushed: `none`; `children`, so that an index may come before its manifests; `any`, also configs and layers.
        missing_content: MissingContent = "children",
        /// The longest manifest.
        manifest_limit: Size = "4MiB",
        /// Blobs up to this size live in the database; 64KiB at most.
        inline_limit: Size = "16KiB",
        /// How long after its last durable byte an unfinished upload goes away.
        upload_expiry: Duration = "24h",
        /// How long a client that uploads may bring nothing before another may go on with its upload.
        takeover_after: Duration = "30s",
        /// After how many bytes of an upload what came is made durable; up to twice as many may be lost if Berth or its machine dies.
        checkpoint_every: Size = "64MiB",
        /// How long moves and deletions of tags are remembered.
        history_age: Duration = "90d",
        /// How many moves and deletions are remembered of each tag; what is more goes with its next one.
        history_lines: u32 = "1000",
    }
}

/// What `manifest_limit` may be at most.
pub(crate) const LONGEST_MANIFEST: Size = Size::new(64 << 20);

impl Registry {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let mut refuse = |key, why: &str| findings.push(Finding::new("registry", key, why));
        if self.manifest_limit.bytes() < 64 << 10 || self.manifest_limit > LONGEST_MANIFEST {
            refuse("manifest_limit", "manifests live in memory and in the database; write 64KiB to 64MiB");
        }
        // Larger bodies are written to storage while they come, so a higher limit would hold for some ways of pushing only.
        if self.inline_limit.bytes() > 64 << 10 {
            refuse("inline_limit", "the database is no place for large blobs; write 64KiB or less");
        }
        if self.upload_expiry < Duration::from_mins(1) {
            refuse("upload_expiry", "uploads would go while they are made; write 1m or more");
        }
        if self.takeover_after < Duration::from_secs(1) {
            refuse("takeover_after", "clients would take uploads from each other; write 1s or more");
        }
        if self.checkpoint_every.bytes() < 1 << 20 {
            refuse("checkpoint_every", "uploads would wait for the disk all the time; write 1MiB or more");
        }
    }
}
