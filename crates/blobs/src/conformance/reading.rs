//! Promises about the way out.

use futures::StreamExt;

use super::{SIZES, Subject, TRANSPORTS, content, expect, read};
use crate::{Error, Pieces, Reading, Transport};
use berth_oci::ByteRange;

pub(super) async fn what_was_put_comes_back(subject: &dyn Subject) {
    let blobs = subject.blobs();
    for size in SIZES {
        let content = content(size);
        let location = blobs.put(content.clone()).await.expect("the blob can be put");
        expect(&*blobs, &location, &content).await;
        expect(&*subject.reopen().await, &location, &content).await;
    }
}

pub(super) async fn ranges_are_exact(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let size = (9 << 20) + 7;
    let content = content(size);
    let location = blobs.put(content.clone()).await.expect("the blob can be put");
    let ranges = [
        (0, 1),
        (size - 1, size),
        (4095, 4097),
        (4096, 8192),
        (1, (256 << 10) + 1),
        (5000, 5000 + (256 << 10) - 1),
        (1 << 20, 2 << 20),
        ((8 << 20) - 1, (8 << 20) + 1),
        (12_345, size),
        (0, size),
    ];
    for (start, end) in ranges {
        for transport in TRANSPORTS {
            let found = read(&*blobs, &location, size, (start, end), transport).await;
            let found = found.expect("the range can be read");
            assert!(found == content[start..end], "{start}..{end} by {transport:?} is not what was stored");
        }
    }
    let behind = read(&*blobs, &location, size, (0, size + 1), Transport::Touched).await;
    assert!(matches!(behind, Err(Error::Io(_))), "a range behind the end is the caller's mistake");
}

pub(super) async fn dropping_a_stream_ends_the_read(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let content = content(20 << 20);
    let location = blobs.put(content.clone()).await.expect("the blob can be put");
    let range = ByteRange { start: 0, end: content.len() as u64 };
    for transport in TRANSPORTS {
        let stream = blobs.read(&location, range.end, range, transport).await;
        let Reading { mut stream, pieces } = stream.expect("the blob can be read");
        let windows = matches!(pieces, Pieces::Windows(_));
        assert!(transport == Transport::Plain || !windows, "the program may touch them");
        let first = stream.next().await.expect("there is a first piece").expect("it can be read");
        assert!(content.starts_with(&first));
        drop(stream);
        assert!(content.starts_with(&first), "a piece outlives its stream");
    }
}

pub(super) async fn readers_read_on_when_a_blob_is_deleted(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let content = content(20 << 20);
    for transport in TRANSPORTS {
        let location = blobs.put(content.clone()).await.expect("the blob can be put");
        let range = ByteRange { start: 0, end: content.len() as u64 };
        let stream = blobs.read(&location, range.end, range, transport).await;
        let mut stream = stream.expect("the blob can be read").stream;
        let mut found =
            stream.next().await.expect("there is a first piece").expect("it can be read").to_vec();
        blobs.delete(&location).await.expect("the blob can be deleted");
        while let Some(piece) = stream.next().await {
            found.extend_from_slice(&piece.expect("a deleted blob is read to its end"));
        }
        assert!(found == content, "by {transport:?}");
        let again = blobs.read(&location, range.end, range, transport).await.err();
        assert!(matches!(again, Some(Error::Missing(at)) if at == location));
    }
}
