//! The protocols that one port speaks.

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::tests::client::{get, header_of, one, send, status};
use crate::tests::start;

/// The administrator, as in the raw requests.
const AUTHORIZATION: &str = "Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";

#[tokio::test]
async fn http2_works_without_tls() {
    let server = start(|_| {}).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    for path in ["/v2/", "/healthz", "/v2/"] {
        let uri = format!("http://{}{path}", server.address);
        let answer = client
            .send_request(
                Request::get(uri).header("authorization", AUTHORIZATION).body(Empty::new()).unwrap(),
            )
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
    // The server closes the connection gently when it ends.
    assert!(server.end().await);
    driving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_serves_many_requests_also_in_advance() {
    let server = start(|_| {}).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(
            "GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n"
                .repeat(20)
                .as_bytes(),
        )
        .await
        .unwrap();
    for _ in 0..20 {
        assert_eq!(status(&one(&mut stream).await.unwrap()), 200);
    }
    assert!(server.end().await);
}

#[tokio::test]
async fn a_blob_goes_in_and_comes_out() {
    let server = start(|_| {}).await;
    let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    );
    let pushed = send(server.address, &push).await;
    assert_eq!(status(&pushed), 201, "{pushed}");
    let pulled = get(server.address, header_of(&pushed, "location").unwrap()).await;
    assert_eq!(status(&pulled), 200);
    assert!(pulled.ends_with("\r\n\r\nhello"), "{pulled}");
    assert!(server.end().await);
}
