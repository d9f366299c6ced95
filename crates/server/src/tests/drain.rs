//! The end of a server: nothing that can still be answered is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tests::client::{get, header_of, one, rest, status};
use crate::tests::{Running, start};

/// Begins an upload and sends half of a chunk of eight bytes.
pub(crate) async fn half_a_chunk(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let start = "POST /v2/library/hello/blobs/uploads/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(start.as_bytes()).await.unwrap();
    let answer = one(&mut stream).await.unwrap();
    assert_eq!(status(&answer), 202, "{answer}");
    let location = header_of(&answer, "location").unwrap();
    let chunk = format!(
        "PATCH {location} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 8\r\n\r\nhalf"
    );
    stream.write_all(chunk.as_bytes()).await.unwrap();
    stream
}

/// Waits until a body is coming in that has its place, and a session that is being written to.
pub(crate) async fn wait_for_an_upload(server: &Running) {
    while !get(server.address, "/metrics").await.contains("berth_upload_sessions 1") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_upload_under_way_ends_well_and_readiness_goes_first() {
    let server = start(|config| config.server.drain = Duration::from_millis(500)).await;
    let mut upload = half_a_chunk(&server).await;
    wait_for_an_upload(&server).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(
        b"GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n",
    )
    .await
    .unwrap();
    one(&mut idle).await.unwrap();

    let address = server.address;
    let ending = tokio::spawn(server.end());
    while status(&get(address, "/readyz").await) != 503 {}
    assert_eq!(rest(&mut idle).await, "", "idle connections are closed");
    upload.write_all(b"done").await.unwrap();
    let answer = rest(&mut upload).await;
    assert_eq!(status(&answer), 202, "{answer}");
    assert_eq!(header_of(&answer, "connection"), Some("close"));
    assert!(ending.await.unwrap());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_grace_has_an_end() {
    let server = start(|config| config.server.grace = Duration::from_millis(100)).await;
    let mut upload = half_a_chunk(&server).await;
    wait_for_an_upload(&server).await;
    assert!(!server.end().await, "not everything came to its end");
    let mut answer = Vec::new();
    let _ = upload.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8(answer).unwrap(), "", "nothing was acknowledged");
}

#[tokio::test]
async fn a_connection_that_has_not_asked_yet_gets_its_answer() {
    let server = start(|_| {}).await;
    let mut late = TcpStream::connect(server.address).await.unwrap();
    let mut later = TcpStream::connect(server.address).await.unwrap();
    late.write_all(b"GET /v2/ HT").await.unwrap();
    while !get(server.address, "/metrics").await.contains("berth_connections 3") {}
    let ending = tokio::spawn(server.end());
    late.write_all(b"TP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n")
        .await
        .unwrap();
    later
        .write_all(
            b"GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n",
        )
        .await
        .unwrap();
    assert_eq!(status(&rest(&mut late).await), 200);
    assert_eq!(status(&rest(&mut later).await), 200);
    assert!(ending.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_under_load_fails() {
    let server = start(|_| {}).await;
    let address = server.address;
    let ended = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU32::new(0));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (ended, answered) = (Arc::clone(&ended), Arc::clone(&answered));
            tokio::spawn(async move {
                loop {
                    let Ok(mut stream) = TcpStream::connect(address).await else { return };
                    let sure = !ended.load(Ordering::SeqCst);
                    let asked =
                        stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\n\r\n");
                    let answer = match asked.await {
                        Ok(()) => one(&mut stream).await,
                        Err(error) => Err(error),
                    };
                    match answer {
                        Ok(answer) => assert_eq!(status(&answer), 200),
                        // The kernel may have taken a connection that nobody accepts any more.
                        Err(error) => assert!(!sure, "{error}"),
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    while answered.load(Ordering::SeqCst) < 200 {
        tokio::task::yield_now().await;
    }
    ended.store(true, Ordering::SeqCst);
    assert!(server.end().await);
    for client in clients {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn an_embedded_database_is_one_file_when_its_server_has_ended() {
    let server = start(|_| {}).await;
    // As long as something of a server is held, its connections do not end by themselves.
    let held = Arc::clone(&server.listening);
    let data = server.stop().await;
    let [database, log] = ["berth.db", "berth.db-wal"].map(|name| data.path().join("data").join(name));
    assert!(database.exists() && !log.exists());
    drop(held);
}
