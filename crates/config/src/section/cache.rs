//! What is remembered in memory, so that a pull asks no database.

use std::time::Duration;

use crate::value::Size;
use crate::{Finding, setting};

setting::table! {
    /// What is remembered in memory, so that a pull asks no database.
    pub struct Cache(cache) {
        /// How much memory it may take.
        memory: Size = "32MiB",
        /// How long a tag is believed without asking the database. It bounds how late a tag that another process moved is seen; moves by this process are seen at once. With PostgreSQL, where other processes may change the same data, it holds for everything that is remembered. `0s` asks each time.
        tag_ttl: Duration = "5s",
    }
}

impl Cache {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        if self.memory.bytes() < 1 << 20 {
            findings.push(Finding::new(
                "cache",
                "memory",
                "this is too little to remember anything; write 1MiB or more",
            ));
        }
        if self.tag_ttl > Duration::from_hours(1) {
            findings.push(Finding::new(
                "cache",
                "tag_ttl",
                "moved tags would be seen too late; write 1h or less",
            ));
        }
    }
}
