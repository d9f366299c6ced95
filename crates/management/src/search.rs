//! The search over everything that the caller may see.

use berth_domain::{Action, Resource};
use berth_metadata::FoundRepository;

use crate::guarded::Guarded;
use crate::{ProjectFilter, ProjectOrder, ProjectPage, Result, Window};

/// The most projects, and the most repositories, that a search finds: whoever gets as many should say more of the name.
pub const MOST_FOUND: u32 = 100;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Projects with the text in their name, by number.
    pub projects: Vec<ProjectPage>,
    /// Repositories with the text in their full name, by name.
    pub repositories: Vec<FoundRepository>,
}

impl Guarded<'_> {
    /// Looks for projects and repositories with this text in their name.
    pub async fn search(&self, text: &str) -> Result<Found> {
        self.check(Resource::Project, Action::List).await?;
        let filter = ProjectFilter { name_like: Some(text.to_owned()), ..ProjectFilter::default() };
        let window = Window { order: ProjectOrder::Id, descending: false, offset: 0, limit: MOST_FOUND };
        let projects = self.projects(&filter, window).await?.items;
        let visible = self.management.access().visible(self.caller).await?;
        let repositories = self.metadata().find_repositories(&visible, text, None, MOST_FOUND).await?;
        Ok(Found { projects, repositories })
    }
}
