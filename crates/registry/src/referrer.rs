//! Referrers: manifests that are about another one.

use berth_domain::{Action, Resource};
use berth_metadata::Referrer;
use berth_oci::{Digest, RepositoryName};

use crate::guarded::Guarded;
use crate::{Page, Result};

impl Guarded<'_> {
    /// Manifests about `subject`, of one type if that is given; none for whatever is unknown.
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
            return Ok(Page { items: Vec::new(), more: false });
        };
        let metadata = &self.registry.ports().metadata;
        let found =
            metadata.referrers(repository.id, subject, artifact_type, after, Page::ask(limit)).await?;
        Ok(Page::cut(found, limit))
    }
}
