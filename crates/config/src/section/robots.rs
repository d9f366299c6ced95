//! Machines' accounts.

use crate::{Finding, setting};

setting::table! {
    /// Machines' accounts.
    pub struct Robots(robots) {
        /// What their log-in names begin with. A changed prefix changes the names of all robots.
        prefix: String = "robot$",
        /// How many days a robot lives whose maker names none.
        duration: u32 = "30",
    }
}

impl Robots {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        if self.duration == 0 || self.duration > 36_500 {
            findings.push(Finding::new("robots", "duration", "write a number of days from 1 to 36500"));
        }
        let fits = (1..=32).contains(&self.prefix.len());
        let plain = |byte: u8| byte.is_ascii_graphic() && !b":+\"'\\".contains(&byte);
        if !fits || !self.prefix.bytes().all(plain) {
            let why = "write 1 to 32 printable characters without any of : + \" ' \\";
            findings.push(Finding::new("robots", "prefix", why));
        }
    }
}
