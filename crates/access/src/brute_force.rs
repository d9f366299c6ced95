//! Guessing passwords is made slow, without giving a stranger the power to lock anybody out.
//!
//! **An attempt counts as failed before it is checked**, and is taken back if it turns out to be right: so a hundred guesses at once
//! are as slow as a hundred one after another. There are three counts, each with a delay that doubles up to a cap:
//!
//! - of an **account from an address**: further attempts are refused until the delay is over;
//! - of an **account**, from all addresses together, and of an **address**, whatever the accounts: attempts are not refused but wait
//!   a moment before they are checked. So neither a stranger who guesses from everywhere nor a forgotten job behind the same proxy
//!   keeps an owner out, who waits two seconds at most.
//!
//! Besides, only a few attempts of one address are under way at once, those that wait included; the rest stands in a line of its
//! own ([`places`]). So an address guesses a few times a second at most, and never takes the hashes from everybody else.
//!
//! What nobody can guess needs none of this: right generated secrets are let in before anybody asks here, and wrong ones do not
//! count against their address.
//!
//! A success forgets the account's failures from that address; it does not forget the address's, or else a guesser would log in
//! to an account of their own in between.

mod places;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use berth_cache::{Attempts, Failures};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::LoginError;
use places::{Place, Places};

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
    /// The longest wait that failures of others can cost an account's owner.
    pub longest_wait: Duration,
    /// After how long without a failure all is forgotten.
    pub window: Duration,
    /// How many attempts of one address are under way at once.
    pub address_at_once: usize,
    /// How many more of them may stand in line.
    pub address_waiting: usize,
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
            address_at_once: 8,
            address_waiting: 256,
        }
    }
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// What a person may have thought of.
    Password,
    /// By its form, what was drawn at random: trying it gets nobody anywhere.
    Generated,
}

/// Why an attempt is not checked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Not before this has passed.
    Slow {
        /// For the `Retry-After` header.
        retry_after: Duration,
    },
    /// Too many others of the same address are in line.
    Busy,
}

/// Slows down guessing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BruteForce {
    attempts: Arc<dyn Attempts>,
    settings: BruteForceSettings,
    places: Arc<Places>,
}

/// One attempt that may be checked. It is counted as failed, and stays so if it is dropped: who breaks off gains nothing.
#[derive(Debug)]
pub struct Attempt {
    brute_force: BruteForce,
    names: Names,
    _place: Place,
}

impl BruteForce {
    /// Counts in `attempts`.
    #[must_use]
    pub fn new(attempts: Arc<dyn Attempts>, settings: BruteForceSettings) -> Self {
        let places = Arc::new(Places::new(settings.address_at_once, settings.address_waiting));
        Self { attempts, settings, places }
    }

    /// Asked before a password is checked; comes back when it may be, after the moment that failures of others cost. Requests
    /// without an address (from the same machine) count as one.
    pub async fn admit(&self, account: &str, address: Option<IpAddr>, guess: Guess) -> Result<Attempt, Held> {
        let BruteForceSettings { account_free, longest_delay, window, .. } = self.settings;
        let names = Names::of(account, address, guess);
        let place = self.places.enter(&names.line).await.ok_or(Held::Busy)?;
        let seen = self.attempts.failures(&names.pair).await;
        self.is_over(seen, account_free, longest_delay)?;
        let counted = self.attempts.fail(names.pair.clone(), window).await;
        if counted.count > seen.count.saturating_add(1) {
            // Others came in between: this one is as late as they make it.
            let before = Failures { count: counted.count - 1, since_last: Duration::ZERO };
            if let Err(held) = self.is_over(before, account_free, longest_delay) {
                self.attempts.take_back(&names.pair).await;
                return Err(held);
            }
        }
        let wait = self.wait(&names, counted.count.saturating_sub(1)).await;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        for name in names.of_others() {
            self.attempts.fail(name.clone(), window).await;
        }
        Ok(Attempt { brute_force: self.clone(), names, _place: place })
    }

    /// How long failures of others keep an attempt waiting, of which `own` are the account's from this address.
    async fn wait(&self, names: &Names, own: u32) -> Duration {
        let BruteForceSettings { account_free, address_free, longest_wait, .. } = self.settings;
        let everywhere = self.attempts.failures(&names.account).await;
        let elsewhere = Failures { count: everywhere.count.saturating_sub(own), ..everywhere };
        let of_account = self.remaining(elsewhere, account_free, longest_wait);
        let Some(address) = &names.address else { return of_account };
        let of_address = self.attempts.failures(address).await;
        of_account.max(self.remaining(of_address, address_free, longest_wait))
    }

    /// Refuses if some of the delay that these failures cost is left.
    fn is_over(&self, failures: Failures, free: u32, longest: Duration) -> Result<(), Held> {
        let retry_after = self.remaining(failures, free, longest);
        if retry_after.is_zero() { Ok(()) } else { Err(Held::Slow { retry_after }) }
    }

    /// Asked before something that anybody may do without credentials, and nobody without end. An address may do it as often as it
    /// may fail to log in, then ever more slowly; its log-ins are another count.
    pub async fn admit_act(&self, act: &str, address: Option<IpAddr>) -> Result<(), Held> {
        let BruteForceSettings { address_free, first_delay, longest_delay, window, .. } = self.settings;
        let name = Names::of(&format!("act\n{act}"), address, Guess::Password).pair;
        let before = self.attempts.failures(&name).await;
        self.is_over(before, address_free, longest_delay)?;
        let counted = self.attempts.fail(name, window).await;
        // Of those who come at once, one goes on.
        if counted.count > address_free && counted.count > before.count + 1 {
            return Err(Held::Slow { retry_after: first_delay });
        }
        Ok(())
    }

    /// How much of the delay that these failures cost is left.
    fn remaining(&self, failures: Failures, free: u32, longest: Duration) -> Duration {
        let Some(doublings) = failures.count.checked_sub(free + 1) else { return Duration::ZERO };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let delay = self.settings.first_delay.saturating_mul(factor).min(longest);
        delay.saturating_sub(failures.since_last)
    }
}

impl Attempt {
    /// It was right.
    pub async fn succeeded(self) {
        self.brute_force.attempts.forget(&self.names.pair).await;
        self.take_back_of_others().await;
    }

    /// Nothing was found out: it counts for nothing.
    pub async fn came_to_nothing(self) {
        self.brute_force.attempts.take_back(&self.names.pair).await;
        self.take_back_of_others().await;
    }

    async fn take_back_of_others(&self) {
        for name in self.names.of_others() {
            self.brute_force.attempts.take_back(name).await;
        }
    }
}

impl From<Held> for LoginError {
    fn from(held: Held) -> Self {
        match held {
            Held::Slow { retry_after } => Self::Slow { retry_after },
            Held::Busy => Self::Busy,
        }
    }
}

/// Under what an attempt is counted. Hashes, so that no name that somebody types is kept, and none is long.
#[derive(Debug)]
struct Names {
    pair: Bytes,
    account: Bytes,
    /// The address, where it stands in line.
    line: Bytes,
    /// The address, if this counts against it.
    address: Option<Bytes>,
}

impl Names {
    fn of(account: &str, address: Option<IpAddr>, guess: Guess) -> Self {
        let address = address.map_or_else(String::new, |address| network(address).to_string());
        let name = |kind: &str, account: &str, address: &str| {
            let hash = Sha256::digest(format!("{kind}\n{address}\n{account}"));
            Bytes::copy_from_slice(&hash)
        };
        let line = name("address", "", &address);
        Self {
            pair: name("pair", account, &address),
            account: name("account", account, ""),
            address: (guess == Guess::Password).then(|| line.clone()),
            line,
        }
    }

    /// Those under which others count too.
    fn of_others(&self) -> impl Iterator<Item = &Bytes> {
        [Some(&self.account), self.address.as_ref()].into_iter().flatten()
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
