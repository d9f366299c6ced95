//! Changing blobs and their links.

use async_trait::async_trait;
use berth_domain::{Actor, Repository, RepositoryId, Timestamp};
use berth_metadata::{AddedBlob, Blob, BlobState, BlobWrites, Deletion, Error, Place, Result};
use berth_oci::Digest;

use super::{
    ADD_BLOB, BLOB_USERS, HEAL_BLOB, LINK_BLOB, LOCK_BAD_BLOB, LOCK_BLOB, LOCK_LINK, LOCK_LINKS, MARK_BLOB,
    Row, UNLINK_BLOB, columns, in_order, state_number,
};
use crate::batch;
use crate::transaction::SqlTransaction;
use crate::value::signed;

#[async_trait]
impl BlobWrites for SqlTransaction {
    async fn add_blob(&mut self, blob: &Blob, at: Timestamp) -> Result<AddedBlob> {
        let (location, content) = columns(&blob.place);
        let (digest, size) = (blob.digest.to_bytes(), signed(blob.size));
        match execute!(self, ADD_BLOB, &digest, size, at.as_micros(), location, content) {
            0 => self.keep_blob(blob, at).await,
            _ => Ok(AddedBlob::Added),
        }
    }

    async fn add_linked_blob(
        &mut self,
        repository: &Repository,
        blob: &Blob,
        by: &Actor,
        at: Timestamp,
    ) -> Result<AddedBlob> {
        self.hold_to_add(repository.id).await?;
        let (location, content) = columns(&blob.place);
        let (digest, size, micros) = (blob.digest.to_bytes(), signed(blob.size), at.as_micros());
        let (added, linked) = execute_both!(
            self,
            (ADD_BLOB, &digest, size, micros, location, content),
            (LINK_BLOB, &digest, repository.id.0, micros, by.kind.as_str(), by.id, &by.name)
        );
        if linked > 0 {
            self.count_link(repository, &digest, size, at);
        }
        if added > 0 { Ok(AddedBlob::Added) } else { self.keep_blob(blob, at).await }
    }

    async fn lock_blob(&mut self, digest: &Digest) -> Result<Option<Blob>> {
        let row: Option<Row> = optional!(self, LOCK_BLOB, digest.to_bytes());
        row.map(super::blob).transpose()
    }

    async fn link_blob(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        size: u64,
        by: &Actor,
        at: Timestamp,
    ) -> Result<()> {
        self.hold_to_add(repository.id).await?;
        let name = digest.to_bytes();
        let linked = execute!(
            self,
            LINK_BLOB,
            &name,
            repository.id.0,
            at.as_micros(),
            by.kind.as_str(),
            by.id,
            &by.name
        );
        if linked > 0 {
            self.count_link(repository, &name, signed(size), at);
        }
        Ok(())
    }

    async fn lock_links(&mut self, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<Option<u64>>> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        if !self.hold(repository).await? {
            return Ok(vec![None; digests.len()]);
        }
        let rows: Vec<(Vec<u8>, i64)> = all!(self, LOCK_LINKS, repository.0, batch::digests(digests));
        in_order(digests, &rows)
    }

    async fn lock_blob_users(
        &mut self,
        repository: RepositoryId,
        digest: &Digest,
        limit: u32,
    ) -> Result<Option<Vec<Digest>>> {
        if !self.hold(repository).await? {
            return Ok(None);
        }
        let name = digest.to_bytes();
        let link: Option<(i64,)> = optional!(self, LOCK_LINK, repository.0, &name);
        if link.is_none() {
            return Ok(None);
        }
        let rows: Vec<(Vec<u8>,)> = all!(self, BLOB_USERS, repository.0, &name, i64::from(limit));
        rows.iter().map(|(user,)| crate::value::digest(user)).collect::<Result<_>>().map(Some)
    }

    async fn unlink_blob(
        &mut self,
        repository: &Repository,
        digest: &Digest,
        deletion: &Deletion,
    ) -> Result<bool> {
        if !self.hold(repository.id).await? {
            return Ok(false);
        }
        let name = digest.to_bytes();
        let id = deletion.id.0.as_bytes().as_slice();
        let unlinked = execute!(self, UNLINK_BLOB, repository.id.0, &name, deletion.at.as_micros(), id) > 0;
        if unlinked {
            self.note_deletion(deletion).await?;
            self.pending.link(repository.project_id, &name, 0, -1);
            self.pending.review_blob(&name, deletion.at);
        }
        Ok(unlinked)
    }

    async fn mark_blob(
        &mut self,
        digest: &Digest,
        place: &Place,
        state: BlobState,
        at: Timestamp,
    ) -> Result<()> {
        let (location, content) = columns(place);
        let state = state_number(state);
        execute!(self, MARK_BLOB, digest.to_bytes(), state, at.as_micros(), location, content);
        Ok(())
    }
}

impl SqlTransaction {
    /// Puts the blob right that is there, if it is bad.
    async fn keep_blob(&mut self, blob: &Blob, at: Timestamp) -> Result<AddedBlob> {
        let (location, content) = columns(&blob.place);
        let (digest, size) = (blob.digest.to_bytes(), signed(blob.size));
        let bad: Option<Row> = optional!(self, LOCK_BAD_BLOB, &digest, content);
        if let Some(bad) = bad.map(super::blob).transpose()? {
            execute!(self, HEAL_BLOB, &digest, size, at.as_micros(), location, content);
            return Ok(AddedBlob::Healed { old: bad.place });
        }
        match self.lock_blob(&blob.digest).await? {
            Some(there) if there.state == BlobState::Ok => Ok(AddedBlob::Kept),
            // Removed or damaged between the two statements.
            _ => Err(Error::Conflict),
        }
    }

    /// A link came that was not there.
    fn count_link(&mut self, repository: &Repository, name: &[u8], size: i64, at: Timestamp) {
        self.pending.link(repository.project_id, name, size, 1);
        self.pending.review_blob(name, at);
    }
}
