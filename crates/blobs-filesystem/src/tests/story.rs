//! One push through every step of the adapter, what of it was acknowledged, and what must be true of it ever after.

use berth_blobs::{BLOCK, Blobs, BufferPool, Checkpoint, Location, Result, Transport};
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt;

use super::stored;
use crate::FilesystemBlobs;

/// A push: an upload with two checkpoints and a reopening between them, then a small blob in one go.
#[derive(Debug)]
pub(super) struct Story {
    /// What the upload is to be.
    pub(super) whole: Bytes,
    /// What is put.
    pub(super) small: Bytes,
    /// Where the upload was begun.
    pub(super) begun: Option<Checkpoint>,
    /// The last checkpoint that was acknowledged.
    pub(super) checkpoint: Option<Checkpoint>,
    /// The upload's publication, once acknowledged.
    pub(super) published: Option<Location>,
    /// The small blob's.
    pub(super) put: Option<Location>,
}

/// How many bytes of the upload have come at each step.
const STEPS: [usize; 3] = [3 * BLOCK, 20 * BLOCK + 100, 33 * BLOCK + 7];

impl Story {
    pub(super) fn new() -> Self {
        // Aligned, as all that is pushed: other memory never goes past the page cache.
        let pool = BufferPool::new(0);
        let bytes = |length: usize, seed: usize| -> Bytes {
            let mut buffer = pool.try_take(length).unwrap();
            for at in 0..length {
                buffer.append(&[u8::try_from((at / 7 + at * seed) % 255 + 1).unwrap()]);
            }
            buffer.freeze()
        };
        let (whole, small) = (bytes(STEPS[2], 3), bytes(5000, 5));
        Self { whole, small, begun: None, checkpoint: None, published: None, put: None }
    }

    /// Pushes, as far as it goes.
    pub(super) async fn run(&mut self, blobs: &FilesystemBlobs) -> Result<()> {
        let begun = blobs.start();
        self.begun = Some(begun.clone());
        let mut upload = blobs.open(&begun).await?;
        upload.write(self.whole.slice(..STEPS[0])).await?;
        self.checkpoint = Some(upload.checkpoint().await?);
        upload.write(self.whole.slice(STEPS[0]..STEPS[1])).await?;
        let checkpoint = upload.checkpoint().await?;
        self.checkpoint = Some(checkpoint.clone());
        drop(upload);
        self.finish(blobs, &checkpoint).await?;
        self.put = Some(blobs.put(self.small.clone()).await?);
        Ok(())
    }

    /// Goes on from a checkpoint to the end of the upload.
    async fn finish(&mut self, blobs: &FilesystemBlobs, from: &Checkpoint) -> Result<()> {
        let mut upload = blobs.open(from).await?;
        upload.write(self.whole.slice(usize::try_from(from.durable).unwrap()..)).await?;
        self.published = Some(upload.publish().await?);
        Ok(())
    }

    /// Everything that was acknowledged is there, and nothing published is wrong.
    pub(super) async fn verify(&mut self, blobs: &FilesystemBlobs) {
        let whole_at = self.begun.as_ref().map(|begun| begun.location.clone());
        let mut published = Vec::new();
        for stored in stored(blobs).await {
            if stored.published {
                let is_whole = Some(&stored.location) == whole_at.as_ref();
                let expected = if is_whole { &self.whole } else { &self.small };
                assert!(read(blobs, &stored.location, expected.len()).await == *expected, "{stored:?}");
                published.push(stored.location);
            }
        }
        if let Some(location) = &self.put {
            assert!(published.contains(location), "the blob that was put is gone");
        }
        if let Some(location) = &self.published {
            assert!(published.contains(location), "the upload that was published is gone");
        } else {
            self.verify_upload(blobs).await;
        }
    }

    /// The last checkpoint is there, and the upload goes on from it to a good end, even if it was published unheard.
    async fn verify_upload(&mut self, blobs: &FilesystemBlobs) {
        let Some(checkpoint) = self.checkpoint.clone() else { return };
        let pieces: Vec<Bytes> = blobs.read_upload(&checkpoint).await.unwrap().try_collect().await.unwrap();
        let durable = usize::try_from(checkpoint.durable).unwrap();
        assert!(pieces.concat() == self.whole[..durable], "the checkpoint's bytes are not what was written");
        assert_eq!(checkpoint.tail, self.whole[durable..][..checkpoint.tail.len()]);
        self.finish(blobs, &checkpoint).await.unwrap();
        let location = self.published.clone().unwrap();
        assert!(read(blobs, &location, self.whole.len()).await == self.whole, "what went on is wrong");
    }
}

async fn read(blobs: &FilesystemBlobs, location: &Location, size: usize) -> Vec<u8> {
    let range = ByteRange { start: 0, end: size as u64 };
    let stream = blobs.read(location, range.end, range, Transport::Touched).await.unwrap().stream;
    stream.try_collect::<Vec<_>>().await.unwrap().concat()
}
