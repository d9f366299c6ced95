//! Appending a chunk.

use std::future::ready;

use berth_blobs::BLOCK;
use berth_domain::{Action, Resource};
use berth_metadata::UploadSession;
use berth_oci::{Hasher, RepositoryName};
use bytes::Bytes;

use super::hashing::update;
use super::ingest::Ingest;
use super::lease::Lease;
use super::reader::{Ending, Head, Reader};
use super::row::{Hold, still_ours};
use super::session::offset;
use super::visit::{Found, Turn, Visit, readable};
use super::{ChunkPosition, UploadStatus, UploadTicket};
use crate::guarded::Guarded;
use crate::unbroken::unbroken;
use crate::{Error, Incoming, Result};
use berth_metadata::retry;

/// The most bytes that a row holds of a session whose bytes are nowhere else: one transaction is cheaper than a file that must
/// be durable, a lease and a checkpoint, up to about here.
const LONGEST_TAIL: usize = 64 << 10;

impl Guarded<'_> {
    /// Appends a chunk. If the body breaks off, what came is kept as far as it could be made durable.
    pub async fn write_chunk(
        &self,
        repository: &RepositoryName,
        ticket: &UploadTicket,
        position: ChunkPosition,
        body: Incoming,
    ) -> Result<UploadStatus> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let visit = Visit::new(self, repository, ticket)?;
        unbroken(visit.append(position, body)).await
    }
}

impl Visit {
    async fn append(self, position: ChunkPosition, body: Incoming) -> Result<UploadStatus> {
        let ticket = self.ticket.clone();
        let Found::Open(turn) = self.approach().await? else {
            return Err(Error::UploadUnknown);
        };
        let mut reader = Reader::new(position, turn.offset(), body)?;
        let offset = match turn.head(&mut reader).await {
            Head::Whole(bytes, ending) => turn.append_few(bytes, ending).await?,
            Head::Part(buffer) => {
                let mut ingest = Ingest::open(turn.lease().await?).await?;
                let start = ingest.session().clone();
                match ingest.run(buffer, &mut reader).await {
                    Ok(ending) => ingest.keep(ending, &start).await?,
                    Err(error) => {
                        ingest.abandon().await;
                        return Err(error);
                    }
                }
            }
        };
        Ok(UploadStatus { ticket, offset })
    }
}

impl Turn {
    /// The first part of the body, behind the session's tail.
    pub(crate) async fn head(&self, reader: &mut Reader) -> Head {
        let buffers = &self.visit.registry.ports().buffers;
        reader.head(buffers, &self.tail(), &self.registration).await
    }

    /// Appends a body that is in memory: `bytes` are the tail and the body. How many bytes the session has then.
    pub(crate) async fn append_few(self, bytes: Bytes, ending: Ending) -> Result<u64> {
        if let Ending::Wrong(error) = ending {
            return Err(error);
        }
        let tail = self.tail().len();
        let offset = self.durable() + bytes.len() as u64;
        if bytes.len() > tail {
            let hasher = update(self.hasher()?, bytes.slice(tail..)).await;
            if bytes.len() <= self.longest_tail() {
                retry!(self.try_append_to_row(&bytes, &hasher).await)?;
                self.clear_remains().await;
            } else {
                let mut lease = self.lease().await?;
                if let Err(error) = lease.store(bytes, hasher).await {
                    lease.release().await;
                    return Err(error);
                }
            }
        }
        ending.outcome(offset)
    }

    /// How many bytes may stay in the row: less than a block, or more if nothing is in storage yet.
    fn longest_tail(&self) -> usize {
        if self.durable() == 0 { LONGEST_TAIL } else { BLOCK - 1 }
    }

    /// One transaction: the lease, the bytes and its end.
    async fn try_append_to_row(&self, tail: &Bytes, hasher: &Hasher) -> Result<()> {
        let visit = &self.visit;
        let mut tx = visit.registry.ports().metadata.begin().await?;
        let (row, held) = visit.lock(tx.as_mut(), self.session.as_ref()).await?;
        let session = match (row, &self.session) {
            (None, None) => visit.begin(tx.as_mut(), held).await?,
            (Some(row), None) => return Err(Error::UploadBusy { offset: offset(Some(&row)) }),
            (row, Some(seen)) => {
                still_ours(row.as_ref(), seen)?;
                row.map(readable).ok_or(Error::UploadUnknown)?
            }
        };
        let next = UploadSession {
            suspect: session.suspect || self.session.as_ref().is_some_and(|seen| seen.suspect),
            tail: Bytes::copy_from_slice(tail),
            hash_state: hasher.save(),
            writer: None,
            epoch: session.epoch + 1,
            expires_at: visit.registry.now().plus(visit.registry.settings().upload_expiry),
            ..session
        };
        tx.save_upload(&next).await?;
        Ok(tx.commit().await?)
    }
}

impl Lease {
    /// Writes the tail and what came after it to storage and ends the lease.
    async fn store(&mut self, bytes: Bytes, hasher: Hasher) -> Result<()> {
        self.progress().await?;
        let mut upload = self.open().await?;
        upload.write(bytes).await?;
        self.advance(upload.checkpoint(), ready(hasher), Hold::Ended).await?;
        self.settle().await
    }
}

impl Ingest {
    /// Keeps what a body brought, unless it was wrong, and ends the lease. How many bytes the session has then.
    pub(crate) async fn keep(mut self, ending: Ending, start: &UploadSession) -> Result<u64> {
        if let Ending::Wrong(error) = ending {
            let (lease, upload) = self.into_parts();
            drop(upload);
            lease.rewind(start).await?;
            return Err(error);
        }
        if let Err(error) = self.checkpoint(Hold::Ended).await {
            self.abandon().await;
            return Err(error);
        }
        ending.outcome(self.size())
    }
}

impl Ending {
    /// What the client is told when what came is kept.
    pub(crate) fn outcome(self, offset: u64) -> Result<u64> {
        match self {
            Self::Complete => Ok(offset),
            Self::Broken(error) => Err(error.into()),
            Self::Stopped => Err(Error::UploadBusy { offset }),
            Self::Wrong(error) => Err(error),
        }
    }
}
