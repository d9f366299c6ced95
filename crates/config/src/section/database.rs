//! The database with all metadata.

use std::time::Duration;

use crate::value::Secret;
use crate::{Finding, setting};

setting::table! {
    /// The database with all metadata.
    pub struct Database(database) {
        /// `postgres://USER:PASSWORD@HOST/NAME`. Without it, the database is embedded in the data directory.
        url: Secret = "",
        /// How many connections to the database may be open, of an embedded one those that read. If nothing is said, 16 to PostgreSQL and 8 to an embedded one.
        pool: Option<u32> = "",
        /// How long PostgreSQL may take to answer a statement. Then whoever asked is told to come again, and the connection is closed: a network that swallows packets says nothing, and neither does a server that died with its machine.
        timeout: Duration = "30s",
    }
}

impl Database {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let url = self.url.expose();
        if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let why = "only PostgreSQL can be named; write postgres://USER:PASSWORD@HOST/NAME, or remove it to use the embedded database";
            findings.push(Finding::new("database", "url", why));
        }
        if self.pool.is_some_and(|pool| pool == 0 || pool > 1000) {
            findings.push(Finding::new("database", "pool", "write a number from 1 to 1000"));
        }
        if self.timeout < Duration::from_secs(1) {
            let why = "statements that a busy database answers would be given up; write 1s or more";
            findings.push(Finding::new("database", "timeout", why));
        }
    }
}
