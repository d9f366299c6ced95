//! The registry's last step of an upload: bytes that are verified and durable become known as a blob of the repository, in one
//! transaction. The step before it, by which they become durable in their place, is storage's own.

use berth_metadata::{AddedBlob, Blob, BlobState, Place, UploadSession};
use berth_oci::Digest;
use bytes::Bytes;

use super::Finished;
use super::row::still_ours;
use super::visit::Visit;
use crate::lookup::blob_key;
use crate::{Error, Registry, Result};
use berth_metadata::retry;

/// What was written down.
struct Written {
    repository: berth_domain::RepositoryId,
    added: AddedBlob,
}

/// Why nothing was, or whether it was is not known.
struct Failed {
    error: Error,
    /// Nothing of the transaction happened.
    certain: bool,
}

impl Visit {
    /// Makes the content known, links it and finishes the session, if there is a row. Bytes that turn out not to be needed go. So do
    /// those that are refused, as of a caller who may not push any more, unless they lie at the session's own place, as whatever came
    /// piece by piece does: there they stay for the next close.
    pub(crate) async fn make_known(
        &self,
        digest: Digest,
        size: u64,
        place: Place,
        session: Option<&UploadSession>,
    ) -> Result<Finished> {
        let blob = Blob { digest, size, place, state: BlobState::Ok };
        let mut certain = true;
        let outcome = if let Err(refused) = self.admit_and_make_project().await {
            Err(refused)
        } else {
            retry!({
                match self.try_make_known(&blob, session).await {
                    Ok(written) => Ok(written),
                    Err(failed) => {
                        certain = failed.certain;
                        Err(failed.error)
                    }
                }
            })
        };
        match outcome {
            Ok(Written { repository, added }) => {
                self.registry.ports().cache.invalidate(&[blob_key(repository, &digest)]).await;
                match added {
                    AddedBlob::Added => {}
                    AddedBlob::Kept => self.registry.remove(&blob.place).await,
                    AddedBlob::Healed { old } => {
                        let holders = self.registry.holders(&digest).await;
                        self.registry.forget_blob(&digest, &holders).await;
                        self.registry.remove(&old).await;
                    }
                }
                Ok(Finished { digest })
            }
            Err(error) => {
                // After a lost commit the row may name the bytes: then they stay, for fsck to find if it does not. Bytes at the
                // session's own place stay too, because its row still calls them durable: the next close finds them there.
                if certain && !session.is_some_and(|session| is_of(&blob.place, session)) {
                    self.registry.remove(&blob.place).await;
                }
                Err(error)
            }
        }
    }

    async fn try_make_known(&self, blob: &Blob, session: Option<&UploadSession>) -> Result<Written, Failed> {
        let certain = |error: Error| Failed { error, certain: true };
        let begun = self.registry.ports().metadata.begin().await;
        let mut tx = begun.map_err(|error| certain(error.into()))?;
        let written = self.write(tx.as_mut(), blob, session).await.map_err(certain)?;
        match tx.commit().await {
            Ok(()) => Ok(written),
            Err(error @ berth_metadata::Error::Conflict) => Err(certain(error.into())),
            Err(error) => Err(Failed { error: error.into(), certain: false }),
        }
    }

    async fn write(
        &self,
        tx: &mut dyn berth_metadata::Transaction,
        blob: &Blob,
        session: Option<&UploadSession>,
    ) -> Result<Written> {
        let now = self.registry.now();
        let by = &self.caller.actor;
        let (row, held) = match session {
            Some(seen) => {
                let (row, held) = tx.lock_upload_into(seen.id, &self.repository).await?;
                still_ours(row.as_ref(), seen)?;
                (row, held)
            }
            None => (None, tx.hold_repository(&self.repository).await?),
        };
        let repository = match held {
            Some(repository) => repository,
            None => self.registry.add_repository(tx, &self.repository, by).await?,
        };
        let added = tx.add_linked_blob(&repository, blob, by, now).await?;
        if let Some(row) = row {
            let finished = UploadSession {
                repository: repository.id,
                durable: 0,
                tail: Bytes::new(),
                storage_state: Vec::new(),
                hash_state: Vec::new(),
                writer: None,
                epoch: row.epoch + 1,
                finished: Some(blob.digest),
                expires_at: now.plus(self.registry.settings().upload_expiry),
                ..row
            };
            tx.save_upload(&finished).await?;
        }
        Ok(Written { repository: repository.id, added })
    }
}

/// Whether the bytes lie at the session's own place.
fn is_of(place: &Place, session: &UploadSession) -> bool {
    matches!(place, Place::At(location) if *location == session.location)
}

impl Registry {
    /// Removes bytes that no row names. A failure leaves an orphan, which fsck finds.
    async fn remove(&self, place: &Place) {
        if let Place::At(location) = place
            && let Err(error) = self.ports().blobs.delete(location).await
        {
            tracing::warn!(%location, %error, "bytes that nothing names could not be removed");
        }
    }
}
