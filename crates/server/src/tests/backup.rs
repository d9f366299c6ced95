//! Backups of a running server, and servers on what was restored from them.

use crate::{Server, embedded};
use tokio::io::AsyncWriteExt;

use crate::tests::client::{get, one, send, status};
use crate::tests::{config, drain, start};

const DIGEST: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn what_was_pushed_before_a_backup_is_pulled_from_its_restoration() {
    let server = start(|config| config.registry.inline_limit = berth_config::Size::new(0)).await;
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    );
    assert_eq!(status(&send(server.address, &push).await), 201);
    let mut upload = drain::half_a_chunk(&server).await;
    upload.write_all(b"done").await.unwrap();
    assert_eq!(status(&one(&mut upload).await.unwrap()), 202, "an unfinished upload stays behind");
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("backup");
    let copied = embedded::backup(&config(&server.data), &backup).await.unwrap();
    assert_eq!((copied.blobs, copied.bytes, copied.missing.len()), (1, 5, 0));
    let again = embedded::backup(&config(&server.data), &backup).await.unwrap_err().to_string();
    assert!(again.contains("is not empty"), "{again}");
    assert!(server.end().await);

    let configuration = config(&elsewhere);
    let copied = embedded::restore(&configuration, &backup).await.unwrap();
    assert_eq!((copied.blobs, copied.missing.len()), (1, 0));
    assert!(embedded::restore(&configuration, &backup).await.is_err());
    let server = Server::bind(&configuration).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));
    let pulled = get(address, &format!("/v2/library/hello/blobs/{DIGEST}")).await;
    assert!(status(&pulled) == 200 && pulled.ends_with("hello"), "{pulled}");
    stop.send(()).unwrap();
    assert!(serving.await.unwrap());
}
