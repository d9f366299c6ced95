//! Upload sessions: how far an upload has come, durably, and who may write to it.

use async_trait::async_trait;
use berth_domain::{Actor, Location, Repository, RepositoryId, Timestamp};
use berth_oci::{Algorithm, Digest, RepositoryName};
use bytes::Bytes;
use uuid::Uuid;

use crate::Result;

/// The row of one session. **It never says more than is durable.**
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadSession {
    /// The name that the client knows.
    pub id: Uuid,
    /// The repository it uploads to; 0 as long as that has no content. Written down only: it is the client's ticket that
    /// is good for one repository.
    pub repository: RepositoryId,
    /// Who started it. Written down only: it is the client's ticket that is good for one account.
    pub owner: Actor,
    /// The algorithm that was declared at the start; sha256 if none was.
    pub algorithm: Algorithm,
    /// Where the bytes are (see the blob port's `Checkpoint`).
    pub location: Location,
    /// How many bytes storage has durably. Those of the tail are durable as well: in this row.
    pub durable: u64,
    /// The bytes after those in storage.
    pub tail: Bytes,
    /// What the storage adapter needs to go on.
    pub storage_state: Vec<u8>,
    /// The running hash over all of them: those in storage and the tail.
    pub hash_state: Vec<u8>,
    /// Who writes now.
    pub writer: Option<Writer>,
    /// Grows with every writer, so that an earlier one finds out that it was replaced.
    pub epoch: i64,
    /// Taken over from a writer that may still write: the content is re-read and re-hashed before it is believed.
    pub suspect: bool,
    /// Finished with this digest. The row stays until it expires, so that a repeated answer can be given again.
    pub finished: Option<Digest>,
    /// Cancelled by the client; nothing goes on with it.
    pub cancelled: bool,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it goes away unless a checkpoint comes before.
    pub expires_at: Timestamp,
}

/// Who writes to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The process, by the id it gave itself at its start.
    pub process: Uuid,
    /// When bytes last came.
    pub progressed_at: Timestamp,
}

/// Looking at sessions.
#[async_trait]
pub trait UploadReads {
    /// The session.
    async fn upload(&self, id: Uuid) -> Result<Option<UploadSession>>;

    /// Sessions that expired before `now`, by that time and their id, after `after`, at most `limit`.
    async fn expired_uploads(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<UploadSession>>;

    /// All sessions by id, after `after`.
    async fn uploads(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<UploadSession>>;
}

/// Changing sessions.
#[async_trait]
pub trait UploadWrites {
    /// The session, locked until the transaction ends.
    async fn lock_upload(&mut self, id: Uuid) -> Result<Option<UploadSession>>;

    /// The same, and what [`hold_repository`](crate::RepositoryWrites::hold_repository) gives: asked together because most who want the
    /// one want the other.
    async fn lock_upload_into(
        &mut self,
        id: Uuid,
        repository: &RepositoryName,
    ) -> Result<(Option<UploadSession>, Option<Repository>)>;

    /// Writes the session's row, new or changed. Two transactions that both write a new row of one id: the second one gets
    /// [`crate::Error::Conflict`].
    async fn save_upload(&mut self, session: &UploadSession) -> Result<()>;

    /// Removes the session's row; gone already is fine.
    async fn remove_upload(&mut self, id: Uuid) -> Result<()>;
}
