//! The database with all metadata.

use crate::value::Secret;
use crate::{Finding, setting};

setting::table! {
    /// The database with all metadata.
    pub struct Database(database) {
        /// `postgres://USER:PASSWORD@HOST/NAME`. Without it, the database is embedded in the data directory.
        url: Secret = "",
        /// How many connections to PostgreSQL may be open.
        pool: u32 = "16",
    }
}

impl Database {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let url = self.url.expose();
        if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let why = "only PostgreSQL can be named; write postgres://USER:PASSWORD@HOST/NAME, or remove it to use the embedded database";
            findings.push(Finding::new("database", "url", why));
        }
        if self.pool == 0 || self.pool > 1000 {
            findings.push(Finding::new("database", "pool", "write a number from 1 to 1000"));
        }
    }
}
