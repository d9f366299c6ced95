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
use super::reader::{Ending, Flaw, Head, Reader};
use super::row::Hold;
use super::visit::{Found, Turn, Visit};
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
            Head::Whole(bytes, Ending::Complete) => turn.append_few(bytes).await?,
            Head::Whole(bytes, Ending::Flawed(flaw)) => return Err(turn.keep_few(bytes, flaw).await),
            Head::Part(buffer) => {
                let mut ingest = Ingest::open(turn.lease().await?).await?;
                let start = ingest.session().clone();
                match ingest.run(buffer, &mut reader).await {
                    Ok(Ending::Complete) => ingest.keep().await?,
                    Ok(Ending::Flawed(flaw)) => return Err(ingest.keep_flawed(flaw, &start).await),
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
        let pool = &self.visit.registry.ports().incoming;
        reader.head(pool, &self.tail(), &self.registration).await
    }

    /// Keeps what came of a flawed body, unless it is wrong: `bytes` are the tail and what came. What the client is told.
    pub(crate) async fn keep_few(self, bytes: Bytes, flaw: Flaw) -> Error {
        if let Flaw::Wrong(error) = flaw {
            return error;
        }
        match self.append_few(bytes).await {
            Ok(offset) => flaw.told(offset),
            Err(error) => error,
        }
    }

    /// Appends a body that is in memory: `bytes` are the tail and the body. How many bytes the session has then.
    async fn append_few(self, bytes: Bytes) -> Result<u64> {
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
        Ok(offset)
    }

    /// How many bytes may stay in the row: less than a block, or more if nothing is in storage yet.
    fn longest_tail(&self) -> usize {
        if self.durable() == 0 { LONGEST_TAIL } else { BLOCK - 1 }
    }

    /// One transaction: the lease, the bytes and its end.
    async fn try_append_to_row(&self, tail: &Bytes, hasher: &Hasher) -> Result<()> {
        let visit = &self.visit;
        let mut tx = visit.registry.ports().metadata.begin().await?;
        let session = visit.row(tx.as_mut(), self.session.as_ref()).await?;
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
    /// Keeps what a body brought and ends the lease. How many bytes the session has then.
    async fn keep(mut self) -> Result<u64> {
        if let Err(error) = self.checkpoint(Hold::Ended).await {
            self.abandon().await;
            return Err(error);
        }
        Ok(self.size())
    }

    /// Keeps what a flawed body brought, unless it is wrong, and ends the lease. What the client is told.
    pub(crate) async fn keep_flawed(self, flaw: Flaw, start: &UploadSession) -> Error {
        if let Flaw::Wrong(error) = flaw {
            let (lease, upload) = self.into_parts();
            drop(upload);
            return lease.rewind(start).await.err().unwrap_or(error);
        }
        match self.keep().await {
            Ok(offset) => flaw.told(offset),
            Err(error) => error,
        }
    }
}

impl Flaw {
    /// What the client is told whose session has so many bytes.
    fn told(self, offset: u64) -> Error {
        match self {
            Self::Broken(error) => error.into(),
            Self::Stopped => Error::UploadBusy { offset },
            Self::Wrong(error) => error,
        }
    }
}
