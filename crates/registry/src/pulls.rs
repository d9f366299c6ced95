//! Counts of pulls, gathered in memory and written in batches: a pull writes nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use berth_domain::{RepositoryId, Timestamp};
use berth_metadata::Pull;
use berth_oci::Digest;

use crate::{Registry, Result};
use berth_metadata::retry;

/// How many manifests are counted between two flushes; pulls of more than that are forgotten, and the log says how many.
const MOST: usize = 1 << 16;
/// How many counts go into one transaction.
const BATCH: usize = 500;

/// The counts since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Pulls(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_manifest: HashMap<(RepositoryId, Digest), (u64, Timestamp)>,
    forgotten: u64,
}

impl Pulls {
    /// Counts one pull.
    pub(crate) fn count(&self, repository: RepositoryId, digest: Digest, at: Timestamp) {
        self.lock().add(&Pull { repository, digest, count: 1, last_at: at });
    }

    fn take(&self) -> (Vec<Pull>, u64) {
        let counts = std::mem::take(&mut *self.lock());
        let pulls = counts.by_manifest.into_iter();
        let pulls = pulls
            .map(|((repository, digest), (count, last_at))| Pull { repository, digest, count, last_at })
            .collect();
        (pulls, counts.forgotten)
    }

    fn give_back(&self, pulls: &[Pull]) {
        let mut counts = self.lock();
        for pull in pulls {
            counts.add(pull);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counts are right after every single step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, pull: &Pull) {
        let full = self.by_manifest.len() >= MOST;
        match self.by_manifest.entry((pull.repository, pull.digest)) {
            Entry::Occupied(mut known) => {
                let (count, last_at) = known.get_mut();
                *count += pull.count;
                *last_at = pull.last_at.max(*last_at);
            }
            Entry::Vacant(_) if full => self.forgotten += pull.count,
            Entry::Vacant(new) => {
                new.insert((pull.count, pull.last_at));
            }
        }
    }
}

impl Registry {
    pub(crate) fn count_pull(&self, repository: RepositoryId, digest: Digest) {
        self.inner.pulls.count(repository, digest, self.now());
    }

    /// Writes the pulls that were counted since the last call.
    pub async fn flush_pulls(&self) -> Result<()> {
        let (mut pulls, forgotten) = self.inner.pulls.take();
        if forgotten > 0 {
            tracing::warn!(forgotten, "more manifests were pulled than are counted between two flushes");
        }
        // One order for all processes, so that two flushes do not wait for each other in a circle.
        pulls.sort_unstable_by_key(|pull| (pull.repository, pull.digest));
        let mut left = &pulls[..];
        while !left.is_empty() {
            let (batch, rest) = left.split_at(BATCH.min(left.len()));
            if let Err(error) = retry!(self.write_pulls(batch).await) {
                self.inner.pulls.give_back(left);
                return Err(error);
            }
            left = rest;
        }
        Ok(())
    }

    async fn write_pulls(&self, batch: &[Pull]) -> Result<()> {
        let mut tx = self.ports().metadata.begin().await?;
        tx.record_pulls(batch).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_are_bounded() {
        let pulls = Pulls::default();
        let (repository, digest) = (RepositoryId(1), Digest::sha256(b"m"));
        pulls.count(repository, digest, Timestamp::from_micros(5));
        pulls.count(repository, digest, Timestamp::from_micros(3));
        let (taken, forgotten) = pulls.take();
        assert_eq!(taken, [Pull { repository, digest, count: 2, last_at: Timestamp::from_micros(5) }]);
        assert_eq!(forgotten, 0);
        for n in 0..=i64::try_from(MOST).unwrap() {
            pulls.count(RepositoryId(n), digest, Timestamp::from_micros(1));
        }
        let (taken, forgotten) = pulls.take();
        assert_eq!((taken.len(), forgotten), (MOST, 1));
    }
}
