//! The tokens that clients of the registry work with.

use std::time::Duration;

use crate::{Finding, setting};

setting::table! {
    /// The tokens that clients of the registry work with.
    pub struct Tokens(tokens) {
        /// What clients call this registry when they ask for a token, whatever its host.
        service: String = "harbor-registry",
        /// How long a token lasts.
        lifetime: Duration = "30m",
        /// How long a key signs tokens before the next one takes its place.
        rotate_every: Duration = "30d",
    }
}

impl Tokens {
    pub(crate) fn validate(&self, findings: &mut Vec<Finding>) {
        let mut refuse = |key, why: &str| findings.push(Finding::new("tokens", key, why));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        let service = self.service.as_bytes();
        if service.is_empty() || service.len() > 255 || !service.iter().all(|&byte| plain(byte)) {
            refuse("service", "it stands in headers; write letters, digits and any of .-_: only");
        }
        if self.lifetime < Duration::from_mins(1) || self.lifetime > Duration::from_hours(24) {
            refuse(
                "lifetime",
                "clients expect a minute at least, and thieves wish for a day; write 1m to 24h",
            );
        }
        if self.rotate_every < self.lifetime * 4 {
            refuse(
                "rotate_every",
                "keys would go before their tokens end; write four times tokens.lifetime or more",
            );
        }
    }
}
