//! The catalog: repositories that the caller may see.

use berth_domain::{Action, Resource};
use berth_oci::RepositoryName;

use crate::guarded::Guarded;
use crate::{Page, Result};

impl Guarded<'_> {
    /// Repositories that the caller may see, in byte order, after `after`.
    pub async fn catalog(&self, after: Option<&str>, limit: u32) -> Result<Page<RepositoryName>> {
        self.check_system(Resource::Catalog, Action::List).await?;
        let visible = self.registry.ports().access.visible(self.caller).await?;
        let metadata = &self.registry.ports().metadata;
        Ok(Page::cut(metadata.repositories(&visible, after, Page::ask(limit)).await?, limit))
    }
}
