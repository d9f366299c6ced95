//! The catalog: repositories that the caller may see.

use berth_domain::{Action, Resource};
use berth_oci::RepositoryName;
use berth_oci::name::LONGEST_NAME;

use crate::guarded::Guarded;
use crate::lists::QUOTED;
use crate::{Page, Result};

impl Guarded<'_> {
    /// Repositories that the caller may see, in byte order, after `after`.
    pub async fn catalog(&self, after: Option<&str>, limit: u32) -> Result<Page<RepositoryName>> {
        self.check_system(Resource::Catalog, Action::List).await?;
        let visible = self.registry.ports().access.visible(self.caller).await?;
        let metadata = &self.registry.ports().metadata;
        let read = |limit| metadata.repositories(&visible, after, limit);
        self.registry.inner.lists.page(limit, LONGEST_NAME + QUOTED, read).await
    }
}
