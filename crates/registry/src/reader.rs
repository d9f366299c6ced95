//! One blob that somebody reads: what is done when its bytes cannot be had to their end.
//!
//! A read that fails is met here, in the stream. What is lost of a window that was lent to the kernel is not: the kernel says that it
//! could not read, and not why. So it is read again, where a read can fail, and ends where every other one does.

use std::sync::Arc;

use berth_blobs::{ByteStream, Lender, Lent, Pieces, Reading, Stretch};
use berth_domain::RepositoryId;
use berth_metadata::Blob;
use berth_oci::ByteRange;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::blob::Damage;
use crate::{Error, Registry};

/// Reads a blob for a repository.
#[derive(Debug)]
pub(crate) struct BlobReader {
    pub(crate) registry: Registry,
    pub(crate) repository: RepositoryId,
    pub(crate) blob: Blob,
}

impl BlobReader {
    /// The bytes of `reading`, which begins at `start`. Windows are lent.
    pub(crate) fn watch(self, reading: Reading, start: u64, lent: Option<&Lent>) -> ByteStream {
        let Reading { stream, pieces } = reading;
        let lent = match (pieces, lent) {
            (Pieces::Windows(file), Some(lent)) => Some((file, lent.clone())),
            _ => None,
        };
        let (reader, mut at) = (Arc::new(self), start);
        let watched = stream.map(move |piece| match (piece, &lent) {
            (Ok(window), Some((file, lent))) => {
                let part = ByteRange { start: at, end: at + window.len() as u64 };
                at = part.end;
                let stretch = Stretch { file: file.clone(), part };
                Ok(lent.lend(window, stretch, Arc::<Self>::clone(&reader)))
            }
            (Ok(buffer), None) => Ok(buffer),
            (Err(error), _) => {
                reader.failed(&error);
                Err(error)
            }
        });
        watched.boxed()
    }

    fn failed(self: &Arc<Self>, error: &berth_blobs::Error) {
        tracing::error!(digest = %self.blob.digest, %error, "a blob could not be read to its end");
        if let Some(damage) = Damage::of(error) {
            let reader = Arc::clone(self);
            tokio::spawn(async move {
                reader.registry.note_damage(reader.repository, &reader.blob, damage).await;
            });
        }
    }

    /// Reads a part again that the kernel could not read; what is wrong with it is said and marked on the way.
    async fn read_again(&self, part: ByteRange) {
        let digest = self.blob.digest;
        match self.registry.read(self.repository, self.blob.clone(), part, None).await {
            Ok(content) => {
                let read = content.stream.try_for_each(|_| std::future::ready(Ok(()))).await;
                if read.is_ok() {
                    tracing::warn!(%digest, "the kernel could not send a part of a blob that can be read now");
                }
            }
            Err(Error::BlobUnknown(_)) => {}
            Err(error) => {
                tracing::error!(%digest, %error, "the kernel could not send a part of a blob, nor can it be read");
            }
        }
    }
}

impl Lender for BlobReader {
    fn unreadable(self: Arc<Self>, part: ByteRange) {
        tokio::spawn(async move { self.read_again(part).await });
    }
}
