//! Promises about the way in.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::{SIZES, Subject, collect, content, expect};
use crate::{BLOCK, Blobs, BufferPool, Checkpoint};

/// What storage says an upload's durable bytes are.
async fn durable(blobs: &dyn Blobs, checkpoint: &Checkpoint) -> Vec<u8> {
    let stream = blobs.read_upload(checkpoint).await.expect("the upload can be read");
    let whole_blocks = stream.inspect_ok(|piece| {
        assert!(piece.len().is_multiple_of(BLOCK), "a piece of {} bytes ends within a block", piece.len());
    });
    collect(whole_blocks.boxed()).await.expect("the upload can be read to its end")
}

/// Whether a checkpoint says exactly that `content` has come.
async fn holds(blobs: &dyn Blobs, checkpoint: &Checkpoint, content: &[u8]) {
    assert_eq!(checkpoint.offset(), content.len() as u64);
    assert!(checkpoint.tail.len() < BLOCK, "a tail is less than a block");
    assert!(checkpoint.durable.is_multiple_of(BLOCK as u64), "whole blocks are durable");
    let mut found = durable(blobs, checkpoint).await;
    found.extend_from_slice(&checkpoint.tail);
    assert!(found == content, "the checkpoint at {} holds other bytes", content.len());
}

pub(super) async fn what_was_uploaded_comes_back(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for size in SIZES {
        let content = content(size);
        let start = blobs.start();
        let mut upload = blobs.open(&start).await.expect("a new upload can be opened");
        let mut rest = content.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(64 * BLOCK));
            upload.write(piece).await.expect("the upload takes the piece");
        }
        let location = upload.publish().await.expect("the upload can be published");
        assert_eq!(location, start.location, "an upload is published where it began");
        expect(&*blobs, &location, &content).await;
        expect(&*subject.reopen().await, &location, &content).await;
    }
}

pub(super) async fn an_upload_goes_on_after_every_piece(subject: &dyn Subject) {
    let lengths = [1, BLOCK - 1, BLOCK, BLOCK + 1, 1, 2 * BLOCK, 10_000, (1 << 20) + 1, 3];
    let content = content(lengths.iter().sum());
    let mut checkpoint = subject.blobs().start();
    let mut came = 0;
    for length in lengths {
        let blobs = subject.reopen().await;
        let mut upload = blobs.open(&checkpoint).await.expect("the upload goes on");
        let mut piece = checkpoint.tail.to_vec();
        piece.extend_from_slice(&content[came..came + length]);
        came += length;
        upload.write(piece.into()).await.expect("the upload takes the piece");
        checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
        drop(upload);
        holds(&*blobs, &checkpoint, &content[..came]).await;
        holds(&*subject.reopen().await, &checkpoint, &content[..came]).await;
    }
    let blobs = subject.reopen().await;
    let mut upload = blobs.open(&checkpoint).await.expect("the upload goes on");
    upload.write(checkpoint.tail.clone()).await.expect("the upload takes the tail");
    let location = upload.publish().await.expect("the upload can be published");
    expect(&*blobs, &location, &content).await;
}

pub(super) async fn what_came_after_the_checkpoint_is_cut(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for kept in [0, 3 * BLOCK] {
        let content = content(kept + 2 * BLOCK + 5);
        let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
        upload.write(content.slice(..kept)).await.expect("the upload takes the piece");
        let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
        assert_eq!((checkpoint.durable, checkpoint.tail.len()), (kept as u64, 0));
        for _ in 0..3 {
            upload.write(Bytes::from(vec![0xff; 1 << 20])).await.expect("the upload takes the piece");
        }
        let later = upload.checkpoint().await.expect("an upload without a tail goes on after a checkpoint");
        assert_eq!(later.offset(), (kept + (3 << 20)) as u64);
        drop(upload);
        let mut upload =
            blobs.open(&checkpoint).await.expect("the upload goes on from the earlier checkpoint");
        upload.write(content.slice(kept..)).await.expect("the upload takes the piece");
        let location = upload.publish().await.expect("the upload can be published");
        expect(&*blobs, &location, &content).await;
    }
}

pub(super) async fn more_may_come_while_a_checkpoint_is_made(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let content = content((12 << 20) + 5);
    let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
    let mut checkpoints = Vec::new();
    for piece in content.chunks(4 << 20) {
        upload.write(content.slice_ref(piece)).await.expect("the upload takes the piece");
        checkpoints.push(upload.checkpoint());
    }
    let made = futures::future::try_join_all(checkpoints).await.expect("checkpoints can be made");
    drop(upload);
    for (checkpoint, end) in made.iter().zip([4 << 20, 8 << 20, 12 << 20, content.len()]) {
        assert_eq!(checkpoint.offset(), end as u64, "a checkpoint counts what came before it");
    }
    let blobs = subject.reopen().await;
    holds(&*blobs, &made[3], &content).await;
    let mut upload = blobs.open(&made[1]).await.expect("the upload goes on from any of them");
    upload.write(content.slice(8 << 20..)).await.expect("the upload takes the piece");
    let location = upload.publish().await.expect("the upload can be published");
    expect(&*blobs, &location, &content).await;
}

/// The process stopped between the publication and the row that would have told of it.
pub(super) async fn an_upload_whose_publication_nobody_heard_of_goes_on(subject: &dyn Subject) {
    for kept in [0, 3 * BLOCK] {
        let content = content(kept + 2 * BLOCK + 5);
        let blobs = subject.blobs();
        let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
        upload.write(content.slice(..kept)).await.expect("the upload takes the piece");
        let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
        upload.write(content.slice(kept..)).await.expect("the upload takes the piece");
        upload.publish().await.expect("the upload can be published");

        let blobs = subject.reopen().await;
        holds(&*blobs, &checkpoint, &content[..kept]).await;
        let mut upload = blobs.open(&checkpoint).await.expect("the upload goes on");
        upload.write(content.slice(kept..)).await.expect("the upload takes the piece");
        let location = upload.publish().await.expect("the upload can be published again");
        assert_eq!(location, checkpoint.location);
        expect(&*blobs, &location, &content).await;
    }
}

pub(super) async fn pieces_within_a_block_are_refused(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let start = blobs.start();
    let mut upload = blobs.open(&start).await.expect("a new upload can be opened");
    upload.write(content(BLOCK + 1)).await.expect("the upload takes the piece");
    let outcome = upload.write(content(BLOCK)).await;
    assert!(outcome.is_err(), "only the last piece may end within a block");
    drop(upload);
    blobs.discard(&start).await.expect("the upload can be discarded");
}

/// A second writer in the same process may come while the first one still has bytes on their way.
pub(super) async fn one_writer_shuts_the_other_out(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for size in [0, 4 * BLOCK] {
        let content = content(size + (1 << 20));
        let mut first = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
        first.write(content.slice(..size)).await.expect("the upload takes the piece");
        let checkpoint = first.checkpoint().await.expect("a checkpoint can be made");
        for _ in 0..6 {
            first.write(Bytes::from(vec![0xff; 1 << 20])).await.expect("the upload takes the piece");
        }
        let mut second = blobs.open(&checkpoint).await.expect("a second writer takes over");
        second.write(content.slice(size..)).await.expect("the upload takes the piece");
        let outcome = async {
            first.write(Bytes::from(vec![0xff; 1 << 20])).await?;
            first.checkpoint().await
        };
        assert!(outcome.await.is_err(), "the first writer must learn that it was shut out");
        let location = second.publish().await.expect("the upload can be published");
        drop(first);
        expect(&*blobs, &location, &content).await;
    }
}

/// As `registry` does it: pieces out of the pool, a checkpoint in the middle, more bytes than any adapter keeps to itself.
pub(super) async fn large_uploads_are_whole(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let pool = BufferPool::new(8 << 20);
    let content = content((80 << 20) + 12_345);
    let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
    for (at, chunk) in content.chunks(1 << 20).enumerate() {
        let mut buffer = pool.take(1 << 20).await;
        assert_eq!(buffer.append(chunk), chunk.len());
        upload.write(buffer.freeze()).await.expect("the upload takes the piece");
        if at == 70 {
            let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
            assert_eq!(checkpoint.durable, 71 << 20);
        }
    }
    let location = upload.publish().await.expect("the upload can be published");
    assert_eq!(pool.in_use(), 0, "a published upload keeps no buffers");
    expect(&*blobs, &location, &content).await;
    blobs.delete(&location).await.expect("the blob can be deleted");
}

/// Each holds buffers and asks for more while the others do, and there are fewer buffers than uploads want.
pub(super) async fn uploads_share_a_small_budget(subject: &dyn Subject) {
    let (blobs, pool, content) = (subject.blobs(), BufferPool::new(6 << 20), content(8 << 20));
    let upload = async || {
        let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
        for chunk in content.chunks(1 << 20) {
            let mut buffer = pool.take(chunk.len()).await;
            buffer.append(chunk);
            upload.write(buffer.freeze()).await.expect("the upload takes the piece");
        }
        upload.publish().await.expect("the upload can be published")
    };
    let locations = futures::future::join_all((0..6).map(|_| upload())).await;
    for location in locations {
        expect(&*blobs, &location, &content).await;
        blobs.delete(&location).await.expect("the blob can be deleted");
    }
}
