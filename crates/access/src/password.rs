//! Passwords: how they are kept, and how one is checked without stopping anything else.
//!
//! **Invariants.** A hash is never computed on the reactor, and never more of them at once than the settings say: each takes
//! megabytes and milliseconds. An unknown account costs what a wrong password costs that is kept as today's settings have it.

mod argon;
mod stored;

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Params, PasswordHasher, PasswordVerifier};
use berth_domain::Entropy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Secret;
use crate::tally::Count;
use argon::Argon;

pub use stored::{HarborHash, StoredPassword};

/// The longest text that is taken for a password, in bytes; whatever is longer is wrong.
const LONGEST: usize = 1024;

/// How hard a guess is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes of it.
    pub parallelism: u32,
    /// How many hashes are computed at once.
    pub at_once: usize,
    /// How many more may wait; further ones are refused.
    pub waiting: usize,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1, at_once: 2, waiting: 256 }
    }
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not this password, or no such account.
    Wrong,
    /// This password.
    Right {
        /// It is kept in an older or weaker form: hash it again now that it is known.
        rehash: bool,
    },
}

/// Why nothing came out.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are being checked.
    #[error("too many log-ins at once: try again shortly")]
    Busy,
    /// The settings make no hash.
    #[error("the password hash's parameters are out of range")]
    Settings,
    /// The hash did not finish.
    #[error("the password could not be hashed")]
    Failed,
}

/// Makes and checks passwords' hashes. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    inner: Arc<Inner>,
}

struct Inner {
    argon: Argon,
    entropy: Arc<dyn Entropy>,
    at_once: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    hashes: Count,
    /// The hash of a password that nobody has: what a guess at an unknown account is checked against.
    decoy: StoredPassword,
}

impl Passwords {
    /// Prepares hashing; computes one hash.
    pub fn new(settings: PasswordSettings, entropy: Arc<dyn Entropy>) -> Result<Self, PasswordError> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(|_| PasswordError::Settings)?;
        let argon = Argon::new(params);
        let mut nobodys = [0; 32];
        entropy.fill(&mut nobodys);
        let decoy = hash(&argon, entropy.as_ref(), &nobodys)?;
        let at_once = settings.at_once.max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                argon,
                entropy,
                at_once: Arc::new(Semaphore::new(at_once)),
                queue: Arc::new(Semaphore::new(at_once + settings.waiting)),
                hashes: Count::default(),
                decoy,
            }),
        })
    }

    /// How many hashes were computed, for whatever reason.
    #[must_use]
    pub fn hashes(&self) -> &Count {
        &self.inner.hashes
    }

    /// The form in which a new password is kept.
    pub async fn hash(&self, password: Secret) -> Result<StoredPassword, PasswordError> {
        let hashing = move |inner: &Inner| {
            inner.hashes.one_more();
            hash(&inner.argon, inner.entropy.as_ref(), password.reveal().as_bytes())
        };
        self.apart(hashing).await?
    }

    /// Checks a password against what is kept; against a decoy if nothing is.
    pub async fn verify(
        &self,
        stored: Option<StoredPassword>,
        password: Secret,
    ) -> Result<Verdict, PasswordError> {
        self.apart(move |inner| inner.verify(stored.as_ref(), password.reveal().as_bytes())).await
    }

    /// Runs work off the reactor when its turn comes. The turn lasts as long as the work, even if nobody waits for it any more.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.inner.queue).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let turn =
            Arc::clone(&self.inner.at_once).acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            let _held: [OwnedSemaphorePermit; 2] = [place, turn];
            work(&inner)
        });
        done.await.map_err(|_| PasswordError::Failed)
    }
}

impl Inner {
    fn verify(&self, stored: Option<&StoredPassword>, password: &[u8]) -> Verdict {
        let known = stored.unwrap_or(&self.decoy);
        let (right, rehash) = match known {
            _ if password.len() > LONGEST => (self.matches(self.decoy.as_str(), &[]), false),
            StoredPassword::Argon2(phc) => (self.matches(phc, password), !self.is_current(phc)),
            StoredPassword::Harbor(harbor) => {
                self.hashes.one_more();
                let right = harbor.matches(password);
                if !right {
                    // The new hash that a right one will cost.
                    let _ = self.matches(self.decoy.as_str(), password);
                }
                (right, true)
            }
        };
        if right && stored.is_some() { Verdict::Right { rehash } } else { Verdict::Wrong }
    }

    fn matches(&self, phc: &str, password: &[u8]) -> bool {
        self.hashes.one_more();
        let parsed = PasswordHash::new(phc);
        parsed.is_ok_and(|hash| self.argon.verify_password(password, &hash).is_ok())
    }

    /// Whether a hash was made with today's parameters.
    fn is_current(&self, phc: &str) -> bool {
        let Ok(hash) = PasswordHash::new(phc) else { return false };
        let same = Params::try_from(&hash).is_ok_and(|params| {
            let today = self.argon.params();
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (today.m_cost(), today.t_cost(), today.p_cost())
        });
        same && hash.algorithm.as_str() == "argon2id"
    }
}

fn hash(argon: &Argon, entropy: &dyn Entropy, password: &[u8]) -> Result<StoredPassword, PasswordError> {
    if password.len() > LONGEST {
        return Err(PasswordError::Failed);
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let hash = argon.hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Failed)?;
    Ok(StoredPassword::Argon2(hash.to_string()))
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("free", &self.inner.at_once.available_permits())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
