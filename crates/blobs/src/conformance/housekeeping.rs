//! Promises about what storage holds and how it goes.

use std::collections::HashSet;

use super::{Subject, content, expect, listed};
use crate::{BLOCK, Error};

pub(super) async fn a_fresh_storage_is_empty_and_answers(subject: &dyn Subject) {
    let blobs = subject.blobs();
    blobs.check().await.expect("storage can be written to");
    assert_eq!(listed(&*blobs).await, [], "neither opening nor checking leaves anything");
    let start = blobs.start();
    let mut upload = blobs.open(&start).await.expect("a new upload can be opened");
    let checkpoint = upload.checkpoint().await.expect("an upload without bytes has a checkpoint");
    assert_eq!(checkpoint, start);
    drop(upload);
    assert_eq!(listed(&*blobs).await, [], "an upload that never got a byte leaves nothing");
}

pub(super) async fn storage_knows_what_it_holds(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let published = blobs.put(content(100)).await.expect("the blob can be put");
    let mut upload = blobs.open(&blobs.start()).await.expect("a new upload can be opened");
    upload.write(content(3 * BLOCK + 1)).await.expect("the upload takes the piece");
    let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
    drop(upload);
    for (location, size, is_published) in
        [(&published, 100, true), (&checkpoint.location, 3 * BLOCK as u64, false)]
    {
        let inspected = blobs.inspect(location).await.expect("storage answers").expect("it is there");
        assert_eq!((inspected.size, inspected.published), (size, is_published));
        let found: Vec<_> =
            listed(&*blobs).await.into_iter().filter(|stored| stored.location == *location).collect();
        assert_eq!(found, [inspected], "what is listed is what is there, once");
    }
    blobs.delete(&published).await.expect("the blob can be deleted");
    blobs.discard(&checkpoint).await.expect("the upload can be discarded");
    let left = listed(&*blobs).await;
    assert!(!left.iter().any(|s| s.location == published || s.location == checkpoint.location));
}

pub(super) async fn deleting_twice_is_no_error(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let kept = blobs.put(content(5)).await.expect("the blob can be put");
    let location = blobs.put(content(5)).await.expect("the blob can be put");
    for _ in 0..2 {
        blobs.delete(&location).await.expect("a blob can be deleted, also twice");
        assert_eq!(blobs.inspect(&location).await.expect("storage answers"), None);
    }
    expect(&*blobs, &kept, &content(5)).await;
}

pub(super) async fn discarding_twice_is_no_error(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let never = blobs.start();
    blobs.discard(&never).await.expect("an upload that never got a byte can be discarded");
    let mut upload = blobs.open(&never).await.expect("a new upload can be opened");
    upload.write(content(BLOCK)).await.expect("the upload takes the piece");
    let checkpoint = upload.checkpoint().await.expect("a checkpoint can be made");
    for _ in 0..2 {
        blobs.discard(&checkpoint).await.expect("an upload can be discarded, also twice");
        assert_eq!(blobs.inspect(&checkpoint.location).await.expect("storage answers"), None);
    }
    assert!(upload.publish().await.is_err(), "what was discarded cannot be published");
    let gone = blobs.open(&checkpoint).await.err();
    assert!(matches!(gone, Some(Error::Missing(at)) if at == checkpoint.location));
}

pub(super) async fn locations_never_repeat(subject: &dyn Subject) {
    let blobs = subject.blobs();
    let mut locations = HashSet::new();
    for _ in 0..1000 {
        assert!(locations.insert(blobs.start().location));
    }
    let first = blobs.put(content(10)).await.expect("the blob can be put");
    blobs.delete(&first).await.expect("the blob can be deleted");
    let second = subject.reopen().await.put(content(10)).await.expect("the blob can be put");
    assert_ne!(first, second, "the same content at another time lies at another location");
    assert!(locations.insert(first) && locations.insert(second));
}
