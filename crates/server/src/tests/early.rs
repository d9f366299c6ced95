//! Answers that go ahead of the end of their request: they arrive, also when the client reads nothing before it has sent everything.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tests::client::{get, number, rest, status};
use crate::tests::{start, tls};

const MIB: usize = 1 << 20;
/// How a chunk of an upload begins that nobody may send.
const CHUNK: &str =
    "PATCH /v2/library/hello/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8 HTTP/1.1\r\nhost: b\r\n";

/// Sends all of a chunk of sixty megabytes, and then reads.
async fn send_all(mut stream: impl AsyncRead + AsyncWrite + Unpin, chunked: bool) -> String {
    let head = if chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {}", 60 * MIB)
    };
    stream.write_all(format!("{CHUNK}{head}\r\n\r\n").as_bytes()).await.unwrap();
    let piece = vec![7; MIB];
    for _ in 0..60 {
        if chunked {
            stream.write_all(format!("{MIB:x}\r\n").as_bytes()).await.unwrap();
        }
        stream.write_all(&piece).await.expect("the bytes are taken");
        if chunked {
            stream.write_all(b"\r\n").await.unwrap();
        }
    }
    stream.flush().await.unwrap();
    rest(&mut stream).await
}

fn assert_refused(answer: &str) {
    assert_eq!(status(answer), 401, "{answer}");
    assert!(answer.contains("UNAUTHORIZED") && answer.ends_with('}'), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_everything_first_reads_why_it_was_refused() {
    let server = start(|_| {}).await;
    for chunked in [false, true] {
        let stream = TcpStream::connect(server.address).await.unwrap();
        assert_refused(&send_all(stream, chunked).await);
    }
    let received = number(&get(server.address, "/metrics").await, "berth_received_bytes_total");
    // What came last may still be unread.
    assert!(received > 100 << 20, "{received}");
    assert!(server.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_everything_over_tls_reads_why_it_was_refused() {
    let files = tempfile::tempdir().unwrap();
    let certificate = tls::issue(files.path());
    let server = start(|config| {
        config.tls.certificate = Some(files.path().join("cert.pem"));
        config.tls.key = Some(files.path().join("key.pem"));
    })
    .await;
    let stream = tls::connect(server.address, &certificate, &["http/1.1"]).await.unwrap();
    assert_refused(&send_all(stream, false).await);
    assert!(server.end().await);
}

#[tokio::test]
async fn nobody_who_goes_on_sending_holds_up_the_end() {
    let server = start(|config| config.server.grace = Duration::from_secs(3)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{CHUNK}content-length: {}\r\n\r\n", 60 * MIB).as_bytes()).await.unwrap();
    stream.write_all(&vec![7; 6 * MIB]).await.unwrap();
    // The server says nothing more, and still reads.
    assert_refused(&rest(&mut stream).await);
    assert!(server.end().await, "it was over before the grace");
}
