//! Closing an upload: the last bytes, the digest, and what can be pulled from then on.

use std::sync::Arc;

use berth_blobs::{Location, Upload};
use berth_domain::{Action, Resource};
use berth_metadata::{Place, UploadSession};
use berth_oci::{Algorithm, Digest, Hasher, RepositoryName};
use bytes::Bytes;
use futures::StreamExt as _;

use super::hashing::{Hashing, update};
use super::ingest::Ingest;
use super::lease::Lease;
use super::reader::{Ending, Head, Reader};
use super::row::Hold;
use super::visit::{Found, Turn, Visit, checkpoint, hasher};
use super::{ChunkPosition, Finished, UploadTicket};
use crate::guarded::Guarded;
use crate::unbroken::unbroken;
use crate::{Error, Incoming, Result};

impl Guarded<'_> {
    /// Uploads a blob with one body.
    pub async fn upload_blob(
        &self,
        repository: &RepositoryName,
        digest: Digest,
        body: Incoming,
    ) -> Result<Finished> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let destination = self.destination(repository).await?;
        let ticket = self.new_ticket(repository, digest.algorithm(), destination);
        let visit = Visit::new(self, repository, &ticket)?;
        unbroken(async move {
            let outcome = visit.clone().finish(digest, ChunkPosition::Next, body).await;
            if outcome.is_err() {
                visit.forget().await;
            }
            outcome
        })
        .await
    }

    /// Appends the last chunk, which may be empty, and closes the session with the digest that the content must have.
    ///
    /// If the content has another digest, or the body is not as long as was said, or the whole body came but could not be made a
    /// blob, the session stays as it was before: the same request may simply be sent again. Closing a finished session with its
    /// digest again succeeds again: the first answer may have been lost.
    pub async fn finish_upload(
        &self,
        repository: &RepositoryName,
        ticket: &UploadTicket,
        digest: Digest,
        position: ChunkPosition,
        body: Incoming,
    ) -> Result<Finished> {
        self.check(repository, Resource::Repository, Action::Push).await?;
        let visit = Visit::new(self, repository, ticket)?;
        unbroken(visit.finish(digest, position, body)).await
    }
}

impl Visit {
    async fn finish(self, digest: Digest, position: ChunkPosition, body: Incoming) -> Result<Finished> {
        let mut turn = match self.clone().approach().await? {
            Found::Open(turn) => turn,
            Found::Finished(finished) => return self.repeat(finished, digest).await,
        };
        if turn.session.is_none() {
            // Nothing is hashed yet, so what the close names is the algorithm to hash with.
            turn.visit.claims.algorithm = digest.algorithm();
        }
        let mut reader = Reader::new(position, turn.offset(), body)?;
        match turn.head(&mut reader).await {
            Head::Whole(bytes, Ending::Complete) if turn.durable() == 0 => {
                turn.finish_in_memory(bytes, digest).await
            }
            Head::Whole(bytes, Ending::Complete) => {
                let tail = turn.tail().len();
                let lease = turn.lease().await?;
                let known = update(hasher(lease.session())?, bytes.slice(tail..)).await;
                let start = lease.session().clone();
                lease.close(bytes, &known, digest, &start).await
            }
            Head::Whole(bytes, Ending::Flawed(flaw)) => Err(turn.keep_few(bytes, flaw).await),
            Head::Part(buffer) => {
                let mut ingest = Ingest::open(turn.lease().await?).await?;
                let start = ingest.session().clone();
                match ingest.run(buffer, &mut reader).await {
                    Ok(Ending::Complete) => ingest.close(digest, &start).await,
                    Ok(Ending::Flawed(flaw)) => Err(ingest.keep_flawed(flaw, &start).await),
                    Err(error) => {
                        ingest.abandon().await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// The answer to a close that was answered before.
    async fn repeat(&self, finished: Digest, digest: Digest) -> Result<Finished> {
        let repository = self.registry.existing(&self.repository).await?;
        if finished == digest && self.registry.good_blob(repository.id, &digest).await?.is_some() {
            return Ok(Finished { digest });
        }
        Err(Error::UploadUnknown)
    }
}

impl Turn {
    /// Closes a session of which nothing is in storage: no lease and, for a session without a row, no row.
    async fn finish_in_memory(self, content: Bytes, digest: Digest) -> Result<Finished> {
        agree(update(Hasher::new(digest.algorithm()), content.clone()).await.digest(), digest)?;
        let size = content.len() as u64;
        let place = if content.len() <= self.visit.registry.settings().inline_limit {
            // A copy, so that the row's cached bytes do not keep a whole buffer out of the budget.
            Place::Inline(Bytes::copy_from_slice(&content))
        } else {
            Place::At(self.visit.registry.ports().blobs.put(content).await?)
        };
        let finished = self.visit.make_known(digest, size, place, self.session.as_ref()).await?;
        self.clear_remains().await;
        Ok(finished)
    }
}

impl Ingest {
    /// Closes a session whose last bytes were just written.
    async fn close(mut self, digest: Digest, start: &UploadSession) -> Result<Finished> {
        if self.session().suspect || self.session().algorithm != digest.algorithm() {
            let stored = self.checkpoint(Hold::Kept).await;
            let (lease, upload) = self.into_parts();
            drop(upload);
            let known = match stored.and_then(|()| hasher(lease.session())) {
                Ok(known) => known,
                Err(error) => return Err(lease.undo(start, error).await),
            };
            let rest = lease.session().tail.clone();
            return lease.close(rest, &known, digest, start).await;
        }
        let (actual, size) = (self.digest().await, self.size());
        let (lease, upload) = self.into_parts();
        if let Err(mismatch) = agree(actual, digest) {
            drop(upload);
            return Err(lease.undo(start, mismatch).await);
        }
        lease.publish(upload, digest, size, start).await
    }
}

impl Lease {
    /// Closes a session of which `rest` is not in storage yet: its tail and what came after it. `known` is the hash of all
    /// bytes, as they were when they came.
    async fn close(
        self,
        rest: Bytes,
        known: &Hasher,
        digest: Digest,
        start: &UploadSession,
    ) -> Result<Finished> {
        let size = self.session().durable + rest.len() as u64;
        if self.session().suspect {
            return self.close_suspect(rest, digest, size, start).await;
        }
        let (lease, outcome) = self.verify_and_open(rest, known, digest).await;
        match outcome {
            Ok(upload) => lease.publish(upload, digest, size, start).await,
            Err(error) => Err(lease.undo(start, error).await),
        }
    }

    /// The end of a close that failed for this reason: the session is as it was before.
    async fn undo(self, start: &UploadSession, error: Error) -> Error {
        match self.rewind(start).await {
            Ok(()) => error,
            Err(failed) => {
                tracing::warn!(upload = %start.id, %error, "a failed close could not be undone");
                failed
            }
        }
    }

    async fn verify_and_open(
        mut self,
        rest: Bytes,
        known: &Hasher,
        digest: Digest,
    ) -> (Self, Result<Box<dyn Upload>>) {
        let outcome = async {
            let actual = if known.algorithm() == digest.algorithm() {
                known.digest()
            } else {
                self.hash_again(&rest, digest.algorithm()).await?
            };
            agree(actual, digest)?;
            let mut upload = self.open().await?;
            if !rest.is_empty() {
                upload.write(rest).await?;
            }
            Ok(upload)
        }
        .await;
        (self, outcome)
    }

    /// The digest by an algorithm that nobody had declared: everything is read once more.
    async fn hash_again(&mut self, rest: &Bytes, algorithm: Algorithm) -> Result<Digest> {
        let blobs = Arc::clone(&self.visit.registry.ports().blobs);
        let mut stored = blobs.read_upload(&checkpoint(self.session())).await?;
        let hashing = Hashing::new(Hasher::new(algorithm));
        while let Some(piece) = stored.next().await {
            self.progress().await?;
            hashing.push(piece?).await;
        }
        hashing.push(rest.clone()).await;
        Ok(hashing.hasher().await.digest())
    }

    /// Closes a session that was taken over from a writer that may still write: what is stored is read back, hashed and stored
    /// anew in a place that the other writer never knew, so that nothing it still does can reach published bytes.
    async fn close_suspect(
        mut self,
        rest: Bytes,
        digest: Digest,
        size: u64,
        start: &UploadSession,
    ) -> Result<Finished> {
        let blobs = Arc::clone(&self.visit.registry.ports().blobs);
        let (fresh, suspect) = (blobs.start(), checkpoint(self.session()));
        let published = match self.copy(&fresh, rest, digest).await {
            Ok(location) => {
                let place = Place::At(location);
                self.visit.make_known(digest, size, place, Some(self.session())).await
            }
            Err(error) => Err(error),
        };
        match published {
            Ok(finished) => {
                if let Err(error) = blobs.discard(&suspect).await {
                    tracing::warn!(location = %suspect.location, %error, "a replaced upload could not be removed");
                }
                Ok(finished)
            }
            Err(error) => {
                // Bytes that were published already are the row's affair: discarding touches unpublished ones only.
                if let Err(error) = blobs.discard(&fresh).await {
                    tracing::warn!(location = %fresh.location, %error, "a copy could not be removed");
                }
                Err(self.undo(start, error).await)
            }
        }
    }

    /// Hands the bytes on as they come, in the memory that they have: whoever holds `rest` must not wait for more of its budget.
    async fn copy(&mut self, to: &berth_blobs::Checkpoint, rest: Bytes, digest: Digest) -> Result<Location> {
        let blobs = Arc::clone(&self.visit.registry.ports().blobs);
        let stored = blobs.read_upload(&checkpoint(self.session())).await?;
        let mut pieces = stored.chain(futures::stream::iter([Ok(rest)]));
        let mut upload = blobs.open(to).await?;
        let hashing = Hashing::new(Hasher::new(digest.algorithm()));
        while let Some(piece) = pieces.next().await {
            self.progress().await?;
            let piece = piece?;
            hashing.push(piece.clone()).await;
            upload.write(piece).await?;
        }
        agree(hashing.hasher().await.digest(), digest)?;
        Ok(upload.publish().await?)
    }

    /// Publishes bytes that are verified and written.
    async fn publish(
        mut self,
        upload: Box<dyn Upload>,
        digest: Digest,
        size: u64,
        start: &UploadSession,
    ) -> Result<Finished> {
        if let Err(error) = self.settle().await {
            drop(upload);
            return Err(self.undo(start, error).await);
        }
        let published = match upload.publish().await {
            Ok(location) => {
                self.visit.make_known(digest, size, Place::At(location), Some(self.session())).await
            }
            Err(error) => Err(error.into()),
        };
        match published {
            Ok(finished) => Ok(finished),
            Err(error) => Err(self.undo(start, error).await),
        }
    }
}

fn agree(actual: Digest, expected: Digest) -> Result<()> {
    if actual == expected {
        Ok(())
    } else {
        Err(Error::DigestMismatch { expected, actual: Box::new(actual) })
    }
}
