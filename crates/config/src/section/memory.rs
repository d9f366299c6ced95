//! Budgets of memory.

use crate::section::registry::LONGEST_MANIFEST;
use crate::value::{Size, Value as _};
use crate::{Finding, setting};

setting::table! {
    /// Budgets of memory.
    pub struct Memory(memory) {
        /// How much memory the bodies of all requests may take together: a quarter for blobs on their way out, a twelfth for manifests on theirs, a sixteenth for lists of tags, repositories and referrers, a twelfth for forms and JSON, the rest for blobs and manifests on their way in. Who needs more waits; who waits 30s for a manifest or a list is told to come again later. A manifest on its way out counts if it has more than 64KiB, once however many clients it is sent to; so does a page of a list, once for each; one that is larger than its part takes all of it. Beside it stands what each connection holds (`server.read_buffer`, the kernel's buffers, what TLS works with, smaller manifests and pages), and the reading of two larger pushed manifests at a time.
        buffers: Size = "96MiB",
    }
}

impl Memory {
    /// What is kept for blobs on their way out, so that readers who take nothing hold up no push.
    #[must_use]
    pub fn outgoing(&self) -> usize {
        self.buffers.in_memory() / 4
    }

    /// What is kept for large manifests on their way out: they come whole, and would wait behind blobs that come in pieces.
    #[must_use]
    pub fn manifests(&self) -> usize {
        self.buffers.in_memory() / 12
    }

    /// What is kept for large pages of lists on their way out, so that readers who take nothing hold up no pull.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.buffers.in_memory() / 16
    }

    /// What is kept for forms and JSON, which anybody may send, so that nobody holds up a push with them.
    #[must_use]
    pub fn forms(&self) -> usize {
        self.buffers.in_memory() / 12
    }

    /// What is left for blobs and manifests on their way in.
    #[must_use]
    pub fn incoming(&self) -> usize {
        let others = self.outgoing() + self.manifests() + self.lists() + self.forms();
        self.buffers.in_memory().saturating_sub(others)
    }

    /// `manifest_limit` is the longest manifest, which is read whole.
    pub(crate) fn validate(&self, manifest_limit: Size, findings: &mut Vec<Finding>) {
        if self.buffers.bytes() < 16 << 20 {
            findings.push(Finding::new(
                "memory",
                "buffers",
                "transfers would wait for each other; write 16MiB or more",
            ));
        } else if manifest_limit.in_memory() > self.incoming() && manifest_limit <= LONGEST_MANIFEST {
            let [buffers, limit] = [self.buffers, manifest_limit].map(|size| size.show());
            let room = Size::new(self.incoming() as u64 >> 20 << 20).show();
            // 25 parts of 48 are for what comes in.
            let enough = (manifest_limit.bytes() * 48).div_ceil(25).next_multiple_of(1 << 20);
            let enough = Size::new(enough).show();
            let of_limit = format!(
                "manifests are read whole, into about half of memory.buffers, which is {buffers}; write {room} or less, or raise that to {enough}"
            );
            let of_buffers = format!(
                "manifests are read whole, into about half of it, and registry.manifest_limit is {limit}; write {enough} or more, or lower that"
            );
            let finding = Finding::new("registry", "manifest_limit", of_limit);
            findings.push(finding.or("memory", "buffers", of_buffers));
        }
    }
}
