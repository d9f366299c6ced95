//! Every repository counts the manifests, tags and pulls that it has, and is listed if it has a manifest.
//!
//! A sum and what it follows from are read in one statement, so what is found needs no second look.

use berth_domain::RepositoryId;
use berth_metadata::{Derived, RepositorySums};

use super::{Check, Counted, Finding};
use crate::Result;
use berth_metadata::retry;

/// How many repositories are counted at once: each may have millions of tags.
const BATCH: u32 = 20;

impl Check<'_> {
    pub(super) async fn repositories(&mut self) -> Result<()> {
        let mut after: Option<RepositoryId> = None;
        loop {
            let sums = self.registry.ports().metadata.repository_sums(after, BATCH).await?;
            let Some(last) = sums.last() else { return Ok(()) };
            after = Some(last.repository.id);
            for sums in sums.into_iter().filter(|sums| !agrees(sums)) {
                self.repository(sums).await?;
            }
        }
    }

    async fn repository(&mut self, sums: RepositorySums) -> Result<()> {
        let found = if self.options.repair {
            retry!(self.derive_repository(sums.repository.id).await)?
        } else {
            Some(sums)
        };
        let Some(RepositorySums { repository, manifests, tags, pulls, filled }) = found else {
            return Ok(());
        };
        let name = repository.name;
        self.compare(Counted::Manifests(name.clone()), manifests);
        self.compare(Counted::Tags(name.clone()), tags);
        self.compare(Counted::Pulls(name.clone()), pulls);
        if !filled.agrees() {
            let (listed, repaired) = (filled.kept, self.options.repair);
            self.find(&Finding::Mislisted { repository: name, listed, repaired });
        }
        Ok(())
    }

    async fn derive_repository(&self, repository: RepositoryId) -> Result<Option<RepositorySums>> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let found = tx.derive_repository(repository).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Tells of a sum that is wrong; with a repair it was put right just now.
    pub(super) fn compare(&mut self, what: Counted, sum: Derived<i64>) {
        if !sum.agrees() {
            let (kept, actual, repaired) = (sum.kept, sum.actual, self.options.repair);
            self.find(&Finding::Miscounted { what, kept, actual, repaired });
        }
    }
}

fn agrees(sums: &RepositorySums) -> bool {
    sums.manifests.agrees() && sums.tags.agrees() && sums.pulls.agrees() && sums.filled.agrees()
}
