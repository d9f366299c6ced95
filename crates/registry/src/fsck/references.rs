//! Every tag names a manifest of its repository, and every repository's blob is known: what no key in the database enforces.
//!
//! A row and what it refers to are read in one statement, so what is found needs no second look.

use berth_metadata::{LinkPosition, TagPosition};

use super::usage::Usage;
use super::{BATCH, Check, Finding};
use crate::Result;

impl Check<'_> {
    pub(super) async fn tags(&mut self) -> Result<()> {
        let mut after: Option<TagPosition> = None;
        loop {
            let tags = self.registry.ports().metadata.tag_targets(after.as_ref(), BATCH).await?;
            let Some((repository, last)) = tags.last() else { return Ok(()) };
            after = Some(TagPosition { repository: repository.id, tag: last.tag.clone() });
            self.report.tags += tags.len() as u64;
            for (repository, target) in tags.into_iter().filter(|(_, target)| !target.there) {
                let (repository, tag, digest) = (repository.name, target.tag, target.digest);
                self.find(&Finding::DanglingTag { repository, tag, digest });
            }
        }
    }

    pub(super) async fn links(&mut self) -> Result<()> {
        let mut after: Option<LinkPosition> = None;
        let mut usage = Usage::default();
        loop {
            let links = self.registry.ports().metadata.link_targets(after.as_ref(), BATCH).await?;
            let Some((repository, last)) = links.last() else { return self.close_usage(usage).await };
            after = Some(LinkPosition { digest: last.digest, repository: repository.id });
            self.report.links += links.len() as u64;
            for (repository, target) in links {
                self.use_link(&mut usage, repository.project_id, &target).await?;
                if !target.there {
                    self.find(&Finding::DanglingLink { repository: repository.name, digest: target.digest });
                }
            }
        }
    }
}
