//! Machines' accounts.

use crate::{Finding, setting};

setting::table! {
    /// Machines' accounts.
    pub struct Robots(robots) {
        /// What their log-in names begin with. A changed prefix changes the names of all robots.
        prefix: String = "robot$",
    }
}

impl Robots {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let fits = (1..=32).contains(&self.prefix.len());
        let plain = |byte: u8| byte.is_ascii_graphic() && !b":+\"'\\".contains(&byte);
        if !fits || !self.prefix.bytes().all(plain) {
            let why = "write 1 to 32 printable characters without any of : + \" ' \\";
            findings.push(Finding::new("robots", "prefix", why));
        }
    }
}
