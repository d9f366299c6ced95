//! Budgets of memory.

use crate::value::Size;
use crate::{Finding, setting};

setting::table! {
    /// Budgets of memory.
    pub struct Memory(memory) {
        /// How much memory the bodies of all requests may take together. Who needs more waits.
        buffers: Size = "96MiB",
    }
}

impl Memory {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        if self.buffers.bytes() < 16 << 20 {
            findings.push(Finding::new(
                "memory",
                "buffers",
                "transfers would wait for each other; write 16MiB or more",
            ));
        }
    }
}
