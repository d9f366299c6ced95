//! What every storage adapter must prove: call [`run`] from the adapter's tests.

mod damage;
mod housekeeping;
mod reading;
mod uploading;

use std::sync::Arc;

use async_trait::async_trait;
use berth_oci::ByteRange;
use bytes::Bytes;
use futures::TryStreamExt;

use crate::{BLOCK, Blobs, ByteStream, Location, Result, Stored, Transport};

/// An adapter under test, and what only its own tests can do to it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The adapter, over storage that begins empty.
    fn blobs(&self) -> Arc<dyn Blobs>;

    /// The adapter opened anew over the same storage, as after a restart or in another process.
    async fn reopen(&self) -> Arc<dyn Blobs>;

    /// Does to a published blob or to an unfinished upload what a bad disk would.
    async fn damage(&self, location: &Location, damage: Damage);
}

/// What can happen to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// They are gone.
    Remove,
    /// The last one is gone.
    Shorten,
    /// There is one more at the end.
    Lengthen,
}

/// Runs every promise of the port against `subject`.
///
/// # Panics
/// If a promise is broken.
pub async fn run(subject: &dyn Subject) {
    housekeeping::a_fresh_storage_is_empty_and_answers(subject).await;
    reading::what_was_put_comes_back(subject).await;
    reading::ranges_are_exact(subject).await;
    reading::dropping_a_stream_ends_the_read(subject).await;
    reading::readers_read_on_when_a_blob_is_deleted(subject).await;
    uploading::what_was_uploaded_comes_back(subject).await;
    uploading::an_upload_goes_on_after_every_piece(subject).await;
    uploading::what_came_after_the_checkpoint_is_cut(subject).await;
    uploading::more_may_come_while_a_checkpoint_is_made(subject).await;
    uploading::an_upload_whose_publication_nobody_heard_of_goes_on(subject).await;
    uploading::pieces_within_a_block_are_refused(subject).await;
    uploading::one_writer_shuts_the_other_out(subject).await;
    uploading::large_uploads_are_whole(subject).await;
    uploading::uploads_share_a_small_budget(subject).await;
    damage::missing_and_damaged_bytes_are_told(subject).await;
    damage::an_upload_that_lost_bytes_is_missing(subject).await;
    housekeeping::storage_knows_what_it_holds(subject).await;
    housekeeping::deleting_twice_is_no_error(subject).await;
    housekeeping::discarding_twice_is_no_error(subject).await;
    housekeeping::locations_never_repeat(subject).await;
}

/// The sizes at which blocks, buffers and windows begin and end.
const SIZES: [usize; 7] = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 1 << 20, (3 << 20) + 7];

const TRANSPORTS: [Transport; 2] = [Transport::Plain, Transport::Touched];

/// Bytes of which no block is like another.
fn content(length: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// Everything between `start` and `end` of a blob of `size` bytes.
async fn read(
    blobs: &dyn Blobs,
    location: &Location,
    size: usize,
    (start, end): (usize, usize),
    transport: Transport,
) -> Result<Vec<u8>> {
    let range = ByteRange { start: start as u64, end: end as u64 };
    collect(blobs.read(location, size as u64, range, transport).await?.stream).await
}

/// All bytes of a stream. Each piece is let go before the next one is asked for, as the budget of buffers demands.
async fn collect(mut stream: ByteStream) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = stream.try_next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Holds a published blob against what it must be, by both ways of reading.
async fn expect(blobs: &dyn Blobs, location: &Location, expected: &[u8]) {
    for transport in TRANSPORTS {
        let size = expected.len();
        let found = read(blobs, location, size, (0, size), transport).await.expect("the blob can be read");
        assert!(found == expected, "{location} of {size} bytes by {transport:?} is not what was stored");
    }
    let stored = blobs.inspect(location).await.expect("storage answers").expect("the blob is there");
    assert_eq!((stored.size, stored.published), (expected.len() as u64, true));
}

/// Everything that storage holds.
async fn listed(blobs: &dyn Blobs) -> Vec<Stored> {
    let bytes = blobs.list().try_filter_map(|listed| std::future::ready(Ok(listed.bytes())));
    bytes.try_collect().await.expect("storage can be listed")
}
