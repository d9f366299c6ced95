//! Clients that take next to nothing of what they asked for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use berth_config::Size;
use berth_http::ConnectionInfo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

use crate::connection::{Protocol, converse};
use crate::send_file::SendFile;
use crate::tests::client::{get, number, push_blob};
use crate::tests::{Running, start};

const ADMIN: &str = "authorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";

/// Asks for a path on a connection of HTTP/1.1 whose bytes the program touches, as those of TLS. Next to nothing fits into it.
async fn ask(server: &Running, path: &str) -> DuplexStream {
    let (mut near, far) = duplex(1024);
    let listening = std::sync::Arc::clone(&server.listening);
    let connection = ConnectionInfo { peer: ([192, 0, 2, 1], 1).into(), tls: true };
    tokio::spawn(async move { converse(&listening, far, Protocol::Http1, connection).await });
    let request = format!("GET {path} HTTP/1.1\r\nhost: b\r\n{ADMIN}\r\nconnection: close\r\n\r\n");
    near.write_all(request.as_bytes()).await.unwrap();
    near
}

impl SendFile for DuplexStream {}

/// A connection whose client does not even take the last word of it.
struct Unending(DuplexStream);

impl AsyncRead for Unending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Unending {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl SendFile for Unending {}

#[tokio::test]
async fn a_client_that_does_not_take_the_end_is_let_go() {
    let server = start(|config| config.server.body_timeout = Duration::from_millis(300)).await;
    let (mut near, far) = duplex(64 << 10);
    let listening = std::sync::Arc::clone(&server.listening);
    let connection = ConnectionInfo { peer: ([192, 0, 2, 1], 1).into(), tls: true };
    let serving =
        tokio::spawn(async move { converse(&listening, Unending(far), Protocol::Http1, connection).await });
    near.write_all(b"GET /healthz HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n").await.unwrap();
    serving.await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(server.end().await);
}

#[tokio::test]
async fn readers_who_trickle_hold_up_nobody_and_end() {
    let server = start(|config| {
        config.memory.buffers = Size::new(16 << 20);
        config.server.body_timeout = Duration::from_millis(300);
    })
    .await;
    let [large, small] = [8 << 20, 100_000].map(|bytes| "b".repeat(bytes));
    let (large, small) = (push_blob(server.address, &large).await, push_blob(server.address, &small).await);
    let mut readers = Vec::new();
    for _ in 0..40 {
        let mut reader = ask(&server, &large).await;
        readers.push(tokio::spawn(async move {
            // Never as long without a byte as a body may stand still.
            let (mut taken, mut some) = (0, [0; 256]);
            while let Ok(read @ 1..) = reader.read(&mut some).await {
                taken += read;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            taken
        }));
    }
    // They have every large buffer of what is kept for the way out.
    while number(&get(server.address, "/metrics").await, "berth_buffers_in_use_bytes") < 12 * (256 << 10) {}
    let mut whole = Vec::new();
    ask(&server, &small).await.read_to_end(&mut whole).await.unwrap();
    assert!(whole.len() > 100_000 && whole.ends_with(b"bbb"), "{}", whole.len());
    for reader in readers {
        let taken = reader.await.unwrap();
        assert!(taken < 8 << 20, "a reader that trickles is let go, but took {taken}");
    }
    while number(&get(server.address, "/metrics").await, "berth_buffers_in_use_bytes") > 0 {}
    assert!(server.end().await);
}
