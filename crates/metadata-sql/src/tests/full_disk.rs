//! A disk that is full: the answer says so, nobody is told a lie, and the database goes on when there is room.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use berth_domain::{Actor, Repository};
use berth_metadata::certain::certain;
use berth_metadata::{
    Blob, BlobReads as _, BlobState, Error, Metadata as _, Place, Result, Transaction, retry,
};
use berth_oci::Digest;
use berth_testkit::Tmpfs;
use bytes::Bytes;
use futures::future::join_all;

use super::{NOW, push, repository, until_waiting};
use crate::SqlMetadata;

/// Takes the room that is left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

/// Adds content that lies in the database itself, in an open transaction.
async fn add_in(tx: &mut dyn Transaction, repository: &Repository, n: u8) -> Result<Digest> {
    let content = Bytes::from(vec![n; 16 * 1024]);
    let digest = Digest::sha256(&content);
    let blob = Blob { digest, size: 16 * 1024, place: Place::Inline(content), state: BlobState::Ok };
    tx.add_blob(&blob, NOW).await?;
    tx.link_blob(repository, &digest, blob.size, &Actor::system(), NOW).await?;
    Ok(digest)
}

/// The same in one of its own.
async fn add(metadata: &SqlMetadata, repository: &Repository, n: u8) -> Result<Digest> {
    let attempt = async {
        let mut tx = metadata.begin().await?;
        let digest = add_in(tx.as_mut(), repository, n).await?;
        tx.commit().await?;
        Ok(digest)
    };
    certain(attempt).await
}

/// Whether a transaction that changes nothing finds the content.
async fn finds(metadata: &SqlMetadata, repository: &Repository, digest: Digest) -> Result<bool> {
    let mut tx = metadata.begin().await?;
    Ok(tx.lock_links(repository.id, &[digest]).await?.iter().any(Option::is_some))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_survived() {
    let small = Tmpfs::mount(4);
    let metadata = SqlMetadata::open_sqlite(&small.path().join("berth.db")).await.unwrap();
    let (_, repository) = repository(&metadata).await;
    push(&metadata, &repository, "before").await.unwrap();
    let ballast = small.path().join("ballast");
    fill(&ballast);

    let answers = join_all((0..20).map(|n| add(&metadata, &repository, n))).await;
    let full = answers.iter().filter(|answer| matches!(answer, Err(Error::Full(_)))).count();
    let stored: Vec<Digest> = answers.iter().flatten().copied().collect();
    assert_eq!(full + stored.len(), answers.len(), "{answers:?}");
    assert!(full > 0);
    assert!(super::is_there(&metadata, &repository, "before").await);

    fs::remove_file(&ballast).unwrap();
    push(&metadata, &repository, "after").await.unwrap();
    assert!(super::is_there(&metadata, &repository, "after").await);
    let again = join_all((0..20).map(|n| add(&metadata, &repository, n))).await;
    assert!(again.iter().all(Result::is_ok), "{again:?}");
    metadata.close().await;

    let metadata = SqlMetadata::open_sqlite(&small.path().join("berth.db")).await.unwrap();
    for digest in stored {
        assert!(metadata.blob(repository.id, &digest).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_by_what_was_lost() {
    let small = Tmpfs::mount(4);
    let metadata = SqlMetadata::open_sqlite(&small.path().join("berth.db")).await.unwrap();
    let (_, repository) = repository(&metadata).await;
    let mut first = metadata.begin().await.unwrap();
    let digest = add_in(first.as_mut(), &repository, 1).await.unwrap();
    fill(&small.path().join("ballast"));
    let second = tokio::spawn({
        let (metadata, repository) = (metadata.clone(), repository.clone());
        async move {
            let mut found = Vec::new();
            let last = retry!({
                let answer = finds(&metadata, &repository, digest).await;
                found.extend(answer.as_ref().ok().copied());
                answer
            });
            (found, last)
        }
    });
    until_waiting(&metadata, 1).await;
    let committed = first.commit().await;
    assert!(matches!(committed, Err(Error::Full(_))), "{committed:?}");
    let (found, last) = second.await.unwrap();
    assert_eq!(found, [true, false]);
    assert!(matches!(last, Ok(false)), "{last:?}");
}
