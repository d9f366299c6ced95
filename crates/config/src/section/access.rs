//! What protects accounts: the key of all secrets, the first administrator's password, passwords' hashes and log-in delays.

use std::time::Duration;

use crate::value::{Secret, Size, Value as _};
use crate::{Finding, setting};

setting::table! {
    /// What protects accounts.
    pub struct Access(access) {
        /// The key under which secrets are sealed in the database: 16 characters at least, the same for every process on one database. An embedded installation makes its own.
        secret_key: Secret = "",
        /// The key before this one, while `berth secrets rotate` seals everything again.
        previous_secret_key: Secret = "",
        /// The password of `admin`, for the first start on an empty database. An embedded installation makes one if none is given; later changes of it here do nothing.
        admin_password: Secret = "",
        /// Whether people may make themselves accounts.
        self_registration: bool = "false",
        /// How long a browser's session lasts without being used.
        session_lifetime: Duration = "1h",
        /// How much memory one hash of a password takes (argon2id).
        password_memory: Size = "19MiB",
        /// How many passes over that memory one hash takes.
        password_iterations: u32 = "2",
        /// How many hashes are computed at once; 256 more may wait.
        password_hashes: u32 = "2",
        /// The first delay after too many wrong passwords; it doubles with each further one.
        login_delay: Duration = "1s",
        /// The longest such delay.
        longest_login_delay: Duration = "60s",
    }
}

/// A password hash below this is no protection, above it is an outage.
const MEMORY: std::ops::RangeInclusive<u64> = (8 << 20)..=(1 << 30);

impl Access {
    pub(crate) fn validate(&self, embedded: bool, findings: &mut Vec<Finding>) {
        let mut refuse = |key, why: &str| findings.push(Finding::new("access", key, why));
        for (key, secret) in
            [("secret_key", &self.secret_key), ("previous_secret_key", &self.previous_secret_key)]
        {
            if !secret.is_empty() && secret.expose().len() < 16 {
                refuse(key, "it protects every secret; write 16 random characters at least");
            }
        }
        if self.session_lifetime < Duration::from_mins(1) {
            refuse("session_lifetime", "sessions would end while they are used; write 1m or more");
        }
        if !MEMORY.contains(&self.password_memory.bytes()) {
            refuse("password_memory", "less protects nothing, more stops the server; write 8MiB to 1GiB");
        }
        if !(1..=64).contains(&self.password_iterations) {
            refuse("password_iterations", "write a number from 1 to 64");
        }
        if !(1..=64).contains(&self.password_hashes) {
            refuse("password_hashes", "write a number from 1 to 64");
        }
        if self.login_delay.is_zero() {
            refuse("login_delay", "guessing must cost something; write 1s");
        }
        if self.secret_key.is_empty() && !embedded {
            let of_key = "with PostgreSQL every process needs the same key; write 16 random characters at least, or name their file in BERTH_ACCESS__SECRET_KEY_FILE";
            let of_url = "with PostgreSQL every process needs the same access.secret_key; set it to 16 random characters at least, or name their file in BERTH_ACCESS__SECRET_KEY_FILE";
            findings.push(Finding::new("access", "secret_key", of_key).or("database", "url", of_url));
        }
        if self.longest_login_delay < self.login_delay {
            let [first, longest] = [self.login_delay, self.longest_login_delay].map(|delay| delay.show());
            let of_longest = format!("access.login_delay is {first}; write that or more");
            let of_first =
                format!("access.longest_login_delay is {longest}; write that or less, or raise it too");
            findings.push(Finding::new("access", "longest_login_delay", of_longest).or(
                "access",
                "login_delay",
                of_first,
            ));
        }
    }
}
