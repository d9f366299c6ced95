//! Every blob has its bytes, as many as its row says, and with a deep check the right ones; so has one that is marked as damaged, with
//! any check.

use berth_blobs::Transport;
use berth_metadata::{Blob, BlobState, Place};
use berth_oci::{ByteRange, Digest, Hasher};
use bytes::Bytes;
use futures::StreamExt as _;

use super::{Check, Finding, Named};
use crate::Result;
use crate::blob::inline_damage;
use crate::upload::Hashing;
use berth_metadata::retry;

/// How many blobs are read at once: the database may have tens of kilobytes of each.
const BATCH: u32 = 100;

/// What the bytes turned out to be.
enum Seen {
    Good,
    Missing,
    Corrupt(String),
}

impl Check<'_> {
    pub(super) async fn blobs(&mut self, named: &mut Named) -> Result<()> {
        let mut after: Option<Digest> = None;
        loop {
            let blobs = self.registry.ports().metadata.blobs(after.as_ref(), BATCH).await?;
            let Some(last) = blobs.last() else { return Ok(()) };
            after = Some(last.digest);
            for blob in blobs {
                if let Place::At(location) = &blob.place {
                    named.add(location);
                }
                self.report.blobs += 1;
                self.report.bytes += blob.size;
                self.blob(blob).await?;
            }
        }
    }

    async fn blob(&mut self, blob: Blob) -> Result<()> {
        let seen = self.inspect(&blob).await?;
        let as_marked = matches!(
            (&seen, blob.state),
            (Seen::Good, BlobState::Ok)
                | (Seen::Missing, BlobState::Missing)
                | (Seen::Corrupt(_), BlobState::Corrupt)
        );
        if !as_marked && !self.is_still(&blob).await? {
            return Ok(());
        }
        let known = blob.state != BlobState::Ok;
        let (finding, state) = match seen {
            Seen::Good if !known => return Ok(()),
            Seen::Good => {
                let repaired = self.options.repair;
                let finding = Finding::Recovered { digest: blob.digest, marked: blob.state, repaired };
                (finding, BlobState::Ok)
            }
            Seen::Missing => (missing(&blob, known), BlobState::Missing),
            Seen::Corrupt(reason) => (corrupt(&blob, reason, known), BlobState::Corrupt),
        };
        if self.options.repair && state != blob.state {
            retry!(self.registry.mark(&blob, state).await)?;
        }
        self.find(&finding);
        Ok(())
    }

    async fn inspect(&self, blob: &Blob) -> Result<Seen> {
        let location = match &blob.place {
            Place::Inline(_) => return Ok(inline_damage(blob).map_or(Seen::Good, Seen::Corrupt)),
            Place::At(location) => location,
        };
        let blobs = &self.registry.ports().blobs;
        let stored = match blobs.inspect(location).await {
            Ok(stored) => stored,
            Err(error) => return judge(error),
        };
        match stored {
            None => return Ok(Seen::Missing),
            Some(stored) if !stored.published => return Ok(Seen::Missing),
            Some(stored) if stored.size != blob.size => {
                return Ok(Seen::Corrupt(format!("{} bytes instead of {}", stored.size, blob.size)));
            }
            Some(_) if !self.options.deep && blob.state == BlobState::Ok => return Ok(Seen::Good),
            Some(_) => {}
        }
        let hashing = Hashing::new(Hasher::new(blob.digest.algorithm()));
        if let Some(end) = std::num::NonZeroU64::new(blob.size) {
            let range = ByteRange { start: 0, end: end.get() };
            let mut content = match blobs.read(location, blob.size, range, Transport::Touched).await {
                Ok(reading) => reading.stream,
                Err(error) => return judge(error),
            };
            while let Some(piece) = content.next().await {
                match piece {
                    Ok(piece) => hashing.push(piece).await,
                    Err(error) => return judge(error),
                }
            }
        }
        let actual = hashing.hasher().await.digest();
        Ok(if actual == blob.digest {
            Seen::Good
        } else {
            Seen::Corrupt(format!("the bytes have the digest {actual}"))
        })
    }

    /// Whether the row still says what it said: meanwhile a push may have healed the blob, or it may be gone.
    async fn is_still(&self, blob: &Blob) -> Result<bool> {
        let now = self.registry.ports().metadata.known_blob(&blob.digest).await?;
        Ok(now.is_some_and(|now| place(&now) == place(blob) && now.state == blob.state))
    }
}

fn place(blob: &Blob) -> (Option<&str>, Option<&Bytes>) {
    match &blob.place {
        Place::At(location) => (Some(location.as_str()), None),
        Place::Inline(content) => (None, Some(content)),
    }
}

/// What an error of storage says of the bytes; one that says nothing of them ends the check.
fn judge(error: berth_blobs::Error) -> Result<Seen> {
    match error {
        berth_blobs::Error::Missing(_) => Ok(Seen::Missing),
        berth_blobs::Error::Corrupt(_, reason) => Ok(Seen::Corrupt(reason)),
        error => Err(error.into()),
    }
}

fn missing(blob: &Blob, known: bool) -> Finding {
    match &blob.place {
        Place::At(location) => Finding::Missing { digest: blob.digest, location: location.clone(), known },
        Place::Inline(_) => corrupt(blob, "the bytes are not in the database".to_owned(), known),
    }
}

fn corrupt(blob: &Blob, reason: String, known: bool) -> Finding {
    let location = match &blob.place {
        Place::At(location) => Some(location.clone()),
        Place::Inline(_) => None,
    };
    Finding::Corrupt { digest: blob.digest, location, reason, known }
}
