//! Clients of HTTP/2 that do not say what has to be said next: nobody waits for them for long.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tests::client::{get, number};
use crate::tests::{Running, start, tls};

/// All that a client says before its first frame (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Settings, none of which is another than the default.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// Connects, says this and leaves it at that.
async fn say(server: &Running, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(words).await.unwrap();
    stream
}

/// Waits until the server has closed the connection; it says nothing meanwhile that HTTP/1 would understand.
async fn closed(mut stream: impl AsyncRead + Unpin) {
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP/1"), "{}", said.escape_ascii());
}

async fn connections(server: &Running) -> u64 {
    number(&get(server.address, "/metrics").await, "berth_connections")
}

#[tokio::test]
async fn a_preface_that_does_not_come_to_its_end_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let server = start(|config| config.server.header_timeout = Duration::from_secs(1)).await;
    for length in [4, PREFACE.len() - 1] {
        closed(say(&server, &PREFACE[..length]).await).await;
    }
    assert!(server.end().await);
    let certificate = tls::issue(directory.path());
    let server = start(|config| {
        config.server.header_timeout = Duration::from_secs(1);
        config.tls.certificate = Some(directory.path().join("cert.pem"));
        config.tls.key = Some(directory.path().join("key.pem"));
    })
    .await;
    closed(tls::connect(server.address, &certificate, &["h2"]).await.unwrap()).await;
    // Nor is a handshake of TLS.
    closed(say(&server, b"\x16").await).await;
    assert!(server.end().await);
}

#[tokio::test]
async fn a_client_without_requests_that_does_not_agree_to_the_end_is_let_go() {
    let server = start(|config| config.server.idle_timeout = Duration::from_secs(1)).await;
    let silent = say(&server, &[PREFACE, SETTINGS].concat()).await;
    closed(silent).await;
    assert!(server.end().await);
}

#[tokio::test]
async fn the_end_waits_for_no_client_of_http2_without_requests() {
    let server = start(|config| config.server.grace = Duration::from_mins(10)).await;
    let unfinished = say(&server, &PREFACE[..4]).await;
    let silent = say(&server, &[PREFACE, SETTINGS].concat()).await;
    while connections(&server).await < 3 {}
    assert!(server.end().await, "every request came to its end, because there was none");
    closed(unfinished).await;
    closed(silent).await;
}
