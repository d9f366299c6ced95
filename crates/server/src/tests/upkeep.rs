//! What is over goes by itself.

use std::time::Duration;

use berth_domain::{Repository, Timestamp};
use berth_metadata::{Metadata as _, RepositoryReads as _, TagReads as _, UploadReads as _, UploadSession};
use berth_metadata_sql::SqlMetadata;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::Server;
use crate::tests::client::{header_of, one, send, status};
use crate::tests::{Running, config, start};

const ADMIN: &str = "host: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";

/// Lets a tag name an index that nothing is in.
async fn move_tag(server: &Running, annotation: &str) {
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{{"a":"{annotation}"}}}}"#
    );
    let length = index.len();
    let put = format!(
        "PUT /v2/library/hello/manifests/moved HTTP/1.1\r\n{ADMIN}\r\ncontent-type: application/vnd.oci.image.index.v1+json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{index}"
    );
    let answer = send(server.address, &put).await;
    assert_eq!(status(&answer), 201, "{answer}");
}

/// Leaves an upload that has more than a row.
async fn half_an_upload(server: &Running) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let post =
        format!("POST /v2/library/hello/blobs/uploads/ HTTP/1.1\r\n{ADMIN}\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(post.as_bytes()).await.unwrap();
    let answer = one(&mut stream).await.unwrap();
    let location = header_of(&answer, "location").unwrap();
    let (length, content) = (200_000, "u".repeat(200_000));
    let patch = format!("PATCH {location} HTTP/1.1\r\n{ADMIN}\r\ncontent-length: {length}\r\n\r\n{content}");
    stream.write_all(patch.as_bytes()).await.unwrap();
    assert_eq!(status(&one(&mut stream).await.unwrap()), 202);
}

/// Lets all uploads be over since long ago.
async fn expire(metadata: &SqlMetadata) {
    let mut tx = metadata.begin().await.unwrap();
    for upload in metadata.uploads(None, 10).await.unwrap() {
        tx.save_upload(&UploadSession { expires_at: Timestamp::from_micros(0), ..upload }).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// How many uploads and lines of history there are.
async fn kept(metadata: &SqlMetadata, repository: &Repository) -> (usize, usize) {
    let uploads = metadata.uploads(None, 10).await.unwrap().len();
    (uploads, metadata.tag_history(repository.id, &"moved".parse().unwrap(), 10).await.unwrap().len())
}

#[tokio::test]
async fn expired_uploads_and_old_history_go() {
    let server = start(|_| {}).await;
    for annotation in ["one", "two"] {
        move_tag(&server, annotation).await;
    }
    half_an_upload(&server).await;
    let data = server.stop().await;
    let mut configuration = config(&data);
    let metadata = SqlMetadata::open_sqlite(&configuration.embedded_database().unwrap()).await.unwrap();
    let repository = metadata.repository(&"library/hello".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept(&metadata, &repository).await, (1, 2));
    let unfinished = configuration.blob_directory().join("uploads");
    assert_eq!(std::fs::read_dir(&unfinished).unwrap().count(), 1);

    expire(&metadata).await;
    configuration.registry.history_age = Duration::ZERO;
    let server = Running::of(Server::bind(&configuration).await.unwrap(), data);
    while kept(&metadata, &repository).await != (0, 0) || std::fs::read_dir(&unfinished).unwrap().count() > 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(server.end().await);
}
