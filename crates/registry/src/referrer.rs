//! Referrers: manifests that are about another one.

use berth_domain::{Action, Resource};
use berth_metadata::Referrer;
use berth_oci::{Digest, RepositoryName};

use crate::guarded::Guarded;
use crate::{Page, Result};

/// How many bytes a page has at most, unless its first entry alone has more: clients stop reading an index at 4 MiB.
const LONGEST: u64 = 4 << 20;
/// What an entry takes in a page beside its types and annotations: its digest, its size, and the names of all of them.
const NAMED: u64 = 256;

impl Guarded<'_> {
    /// Manifests about `subject`, of one type if that is given; none for whatever is unknown. A page ends before `limit` where
    /// clients stop reading.
    ///
    /// Whatever says that it is about the subject is in the list, however it came: entries of a fallback tag's index are
    /// manifests of the repository with a subject of their own, so they need no adoption.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Page<Referrer>> {
        self.check(repository, Resource::Repository, Action::Pull).await?;
        let Some(repository) = self.registry.find(repository).await? else {
            return Ok(Page::cut(Vec::new(), limit));
        };
        let (metadata, lists) = (&self.registry.ports().metadata, &self.registry.inner.lists);
        let (id, asked) = (repository.id, Page::ask(limit));
        let weights = metadata.referrer_weights(id, subject, artifact_type, after, asked).await?;
        let (fitting, bytes) = fitting(&weights, limit);
        let room = lists.room(bytes).await?;
        let items = metadata.referrers(id, subject, artifact_type, after, fitting).await?;
        let more = weights.len() > items.len() && !items.is_empty();
        Ok(Page { items, more, room })
    }
}

/// How many entries of these weights a page has, and how many bytes they take at most.
fn fitting(weights: &[u64], limit: u32) -> (u32, usize) {
    let (mut entries, mut bytes) = (0, 0_u64);
    for weight in weights {
        let with = bytes.saturating_add(weight + NAMED);
        if entries == limit || (entries > 0 && with > LONGEST) {
            break;
        }
        (entries, bytes) = (entries + 1, with);
    }
    (entries, usize::try_from(bytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_entries_end_a_page_early_and_light_ones_do_not() {
        assert_eq!(fitting(&[], 10), (0, 0));
        assert_eq!(fitting(&[0; 7], 10), (7, 7 * 256));
        assert_eq!(fitting(&[0; 7], 6), (6, 6 * 256));
        assert_eq!(fitting(&[0; 7], 0), (0, 0));
        assert_eq!(fitting(&[LONGEST, 1, 1], 10), (1, (4 << 20) + 256));
        assert_eq!(fitting(&[1, LONGEST - 3 * NAMED - 2, 1, 1], 10), (3, 4 << 20));
    }
}
