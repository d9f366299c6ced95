//! What projects have of which blobs is counted as often as links bring it there, and so are their bytes: what quotas go by.
//!
//! The links come in the order of digests, as do the rows that count them, so both are read side by side. A blob whose two sides differ
//! may have changed between the reads: it is looked at again, at one moment.

use std::collections::{BTreeMap, HashMap, VecDeque};

use berth_domain::ProjectId;
use berth_metadata::{LinkTarget, ProjectBlob, ProjectBlobPosition, ProjectBlobSums, ProjectBytes};
use berth_oci::Digest;

use super::{BATCH, Check, Counted};
use crate::Result;
use berth_metadata::retry;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// The blob whose links are being read.
    digest: Option<Digest>,
    /// How many of them each project has.
    links: BTreeMap<ProjectId, i64>,
    /// Rows that were read ahead.
    rows: VecDeque<ProjectBlob>,
    after: Option<ProjectBlobPosition>,
    /// Bytes of each project.
    bytes: HashMap<ProjectId, i64>,
}

impl Check<'_> {
    /// The next link.
    pub(super) async fn use_link(
        &mut self,
        usage: &mut Usage,
        project: ProjectId,
        target: &LinkTarget,
    ) -> Result<()> {
        if usage.digest != Some(target.digest) {
            self.settle(usage).await?;
            usage.digest = Some(target.digest);
        }
        *usage.links.entry(project).or_default() += 1;
        Ok(())
    }

    /// All links were read.
    pub(super) async fn close_usage(&mut self, mut usage: Usage) -> Result<()> {
        self.settle(&mut usage).await?;
        while let Some(row) = self.next_row(&mut usage, None).await? {
            self.share(&mut usage, &row.digest, row.project, 0, Some(&row)).await?;
        }
        self.bytes(&usage).await
    }

    /// All links of a blob were read.
    async fn settle(&mut self, usage: &mut Usage) -> Result<()> {
        let Some(digest) = usage.digest.take() else { return Ok(()) };
        let mut links = std::mem::take(&mut usage.links);
        while let Some(row) = self.next_row(usage, Some(&digest)).await? {
            let mine = if row.digest == digest { links.remove(&row.project) } else { None };
            self.share(usage, &row.digest, row.project, mine.unwrap_or(0), Some(&row)).await?;
        }
        for (project, links) in links {
            self.share(usage, &digest, project, links, None).await?;
        }
        Ok(())
    }

    /// The next row, if it is one of the blobs up to `last`.
    async fn next_row(&self, usage: &mut Usage, last: Option<&Digest>) -> Result<Option<ProjectBlob>> {
        if usage.rows.is_empty() {
            let metadata = &self.registry.ports().metadata;
            usage.rows = metadata.project_blobs(usage.after.as_ref(), BATCH).await?.into();
            let end = usage.rows.back();
            usage.after = end
                .map(|end| ProjectBlobPosition { digest: end.digest, project: end.project })
                .or(usage.after);
        }
        let is_in = |row: &ProjectBlob| last.is_none_or(|last| row.digest <= *last);
        Ok(if usage.rows.front().is_some_and(is_in) { usage.rows.pop_front() } else { None })
    }

    /// A blob of a project, by how many links it was found to have.
    async fn share(
        &mut self,
        usage: &mut Usage,
        digest: &Digest,
        project: ProjectId,
        links: i64,
        row: Option<&ProjectBlob>,
    ) -> Result<()> {
        let (links, size) = match row {
            Some(row) if row.links == links && row.size.agrees() => (links, row.size.actual),
            _ => match self.look_at_share(project, digest).await? {
                Some(found) => (found.links.actual, found.size.actual),
                None => return Ok(()),
            },
        };
        if links > 0 {
            let bytes = usage.bytes.entry(project).or_default();
            *bytes = bytes.saturating_add(size);
        }
        Ok(())
    }

    async fn look_at_share(
        &mut self,
        project: ProjectId,
        digest: &Digest,
    ) -> Result<Option<ProjectBlobSums>> {
        let looked = if self.options.repair {
            retry!(self.derive_share(project, digest).await)?
        } else {
            self.registry.ports().metadata.project_blob(project, digest).await?
        };
        if let Some(ProjectBlobSums { project, links, size }) = &looked {
            let (project, digest) = (project.clone(), *digest);
            self.compare(Counted::Links { project: project.clone(), digest }, *links);
            self.compare(Counted::Size { project, digest }, *size);
        }
        Ok(looked)
    }

    async fn derive_share(&self, project: ProjectId, digest: &Digest) -> Result<Option<ProjectBlobSums>> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let found = tx.derive_project_blob(project, digest).await?;
        tx.commit().await?;
        Ok(found)
    }

    async fn bytes(&mut self, usage: &Usage) -> Result<()> {
        let mut after: Option<ProjectId> = None;
        loop {
            let kept = self.registry.ports().metadata.kept_bytes(after, BATCH).await?;
            let Some((last, _)) = kept.last() else { return Ok(()) };
            after = Some(*last);
            for (project, bytes) in kept {
                // The sum of what was read one after the other says nothing of a project that is pushed to.
                if usage.bytes.get(&project).copied().unwrap_or(0) != bytes {
                    self.look_at_bytes(project).await?;
                }
            }
        }
    }

    async fn look_at_bytes(&mut self, project: ProjectId) -> Result<()> {
        let looked = if self.options.repair {
            retry!(self.derive_bytes(project).await)?
        } else {
            self.registry.ports().metadata.project_bytes(project).await?
        };
        if let Some(ProjectBytes { project, bytes }) = looked {
            self.compare(Counted::Bytes(project), bytes);
        }
        Ok(())
    }

    async fn derive_bytes(&self, project: ProjectId) -> Result<Option<ProjectBytes>> {
        let mut tx = self.registry.ports().metadata.begin().await?;
        let found = tx.derive_project_bytes(project).await?;
        tx.commit().await?;
        Ok(found)
    }
}
