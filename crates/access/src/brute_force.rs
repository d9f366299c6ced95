//! Guessing passwords is made slow, without giving a stranger the power to lock anybody out.
//!
//! Three counts of failures, each with a delay that doubles up to a cap:
//!
//! - of an **account from an address**: further attempts are refused until the delay is over;
//! - of an **address**, whatever the accounts: the same, after more failures;
//! - of an **account**, from all addresses together: attempts are not refused but wait a moment before they are checked, so that
//!   a stranger who guesses from everywhere cannot keep the owner out, who waits two seconds at most.
//!
//! A success forgets the account's failures from that address; it does not forget the address's, or else a guesser would log in
//! to an account of their own in between.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use berth_cache::{Attempts, Failures};
use sha2::{Digest, Sha256};

/// How guessing is slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BruteForceSettings {
    /// Failures of an account from an address that cost nothing: people mistype.
    pub account_free: u32,
    /// Failures of an address that cost nothing: offices and clusters share one.
    pub address_free: u32,
    /// The first delay; it doubles with each further failure.
    pub first_delay: Duration,
    /// The longest delay.
    pub longest_delay: Duration,
    /// The longest wait that failures from elsewhere can cost an account's owner.
    pub longest_wait: Duration,
    /// After how long without a failure all is forgotten.
    pub window: Duration,
}

impl Default for BruteForceSettings {
    fn default() -> Self {
        Self {
            account_free: 3,
            address_free: 30,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_mins(1),
            longest_wait: Duration::from_secs(2),
            window: Duration::from_mins(15),
        }
    }
}

/// Whether an attempt may be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// After this wait, often none.
    After(Duration),
    /// Not before this has passed.
    Refused {
        /// For the `Retry-After` header.
        retry_after: Duration,
    },
}

/// Slows down guessing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BruteForce {
    attempts: Arc<dyn Attempts>,
    settings: BruteForceSettings,
}

impl BruteForce {
    /// Counts in `attempts`.
    #[must_use]
    pub fn new(attempts: Arc<dyn Attempts>, settings: BruteForceSettings) -> Self {
        Self { attempts, settings }
    }

    /// Asked before a password is checked. Requests without an address (from the same machine) count as one.
    pub async fn admit(&self, account: &str, address: Option<IpAddr>) -> Admission {
        let names = Names::of(account, address);
        let pair = self.attempts.failures(&names.pair).await;
        let host = self.attempts.failures(&names.address).await;
        let open = [
            self.remaining(pair, self.settings.account_free, self.settings.longest_delay),
            self.remaining(host, self.settings.address_free, self.settings.longest_delay),
        ];
        if let Some(retry_after) = open.into_iter().max().filter(|left| !left.is_zero()) {
            return Admission::Refused { retry_after };
        }
        let elsewhere = self.attempts.failures(&names.account).await;
        let elsewhere = Failures { count: elsewhere.count.saturating_sub(pair.count), ..elsewhere };
        Admission::After(self.remaining(elsewhere, self.settings.account_free, self.settings.longest_wait))
    }

    /// Told after a wrong password or an unknown account.
    pub async fn failed(&self, account: &str, address: Option<IpAddr>) {
        let names = Names::of(account, address);
        for name in [names.pair, names.address, names.account] {
            self.attempts.fail(name, self.settings.window).await;
        }
    }

    /// Told after a right password.
    pub async fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        self.attempts.forget(&Names::of(account, address).pair).await;
    }

    /// How much of the delay that these failures cost is left.
    fn remaining(&self, failures: Failures, free: u32, longest: Duration) -> Duration {
        let Some(doublings) = failures.count.checked_sub(free + 1) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let delay = self.settings.first_delay.saturating_mul(factor).min(longest);
        delay.saturating_sub(failures.since_last)
    }
}

/// Under what failures are counted. Hashes, so that no name that somebody types is kept, and none is long.
struct Names {
    pair: bytes::Bytes,
    address: bytes::Bytes,
    account: bytes::Bytes,
}

impl Names {
    fn of(account: &str, address: Option<IpAddr>) -> Self {
        let address = address.map_or_else(String::new, |address| network(address).to_string());
        let name = |kind: &str, account: &str, address: &str| {
            let hash = Sha256::digest(format!("{kind}\n{address}\n{account}"));
            bytes::Bytes::copy_from_slice(&hash)
        };
        Self {
            pair: name("pair", account, &address),
            address: name("address", "", &address),
            account: name("account", account, ""),
        }
    }
}

/// What one person has of addresses: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests;
