//! The protocols that one port speaks.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// Asks for a path over HTTP/2.
async fn ask(client: &mut http2::SendRequest<Empty<Bytes>>, uri: String) -> Response<Incoming> {
    let request = Request::get(uri).header("authorization", AUTHORIZATION).body(Empty::new()).unwrap();
    client.send_request(request).await.unwrap()
}

#[tokio::test]
async fn long_headers_of_http2_are_refused_like_those_of_http1() {
    let server = start(|_| {}).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let origin = format!("http://{}", server.address);
    let many: Vec<_> = (0..60).map(|n| (format!("x-{n}"), "a".repeat(300))).collect();
    let one = |length| vec![("x-long".to_owned(), "a".repeat(length))];
    for (fields, path, expected, route) in [
        (one(15 << 10), "/v2/".to_owned(), 200, ""),
        (one(17 << 10), "/v2/".to_owned(), 431, "header-too-long"),
        (one(17 << 10), "/healthz".to_owned(), 431, "header-too-long"),
        (one(40 << 10), "/v2/".to_owned(), 431, "header-too-long"),
        (many, "/v2/".to_owned(), 431, "header-too-long"),
        (vec![], format!("/v2/{}", "a".repeat(9 << 10)), 414, "uri-too-long"),
        (vec![], format!("/v2/{}", "a".repeat(17 << 10)), 414, "uri-too-long"),
    ] {
        let mut request = Request::get(format!("{origin}{path}")).header("authorization", AUTHORIZATION);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let answer = client.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected);
        assert!(answer.headers().contains_key("x-request-id"), "{expected}");
        let spoken = answer.headers().contains_key("docker-distribution-api-version");
        assert_eq!(spoken, path.starts_with("/v2/"), "{path}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        if !route.is_empty() {
            assert!(body.starts_with(b"{\"errors\":[{\"code\":\"UNSUPPORTED\""), "{expected}: {body:?}");
            let metrics = get(server.address, "/metrics").await;
            assert!(metrics.contains(&format!("route=\"{route}\",method=\"GET\"")), "{metrics}");
        }
    }
    drop(client);
    assert!(server.end().await);
    driving.await.unwrap().unwrap();
}

/// How much memory bodies take, as the server says.
async fn in_use(client: &mut http2::SendRequest<Empty<Bytes>>, origin: &str) -> u64 {
    let answer = ask(client, format!("{origin}/metrics")).await.into_body().collect().await.unwrap();
    let text = String::from_utf8(answer.to_bytes().to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("berth_buffers_in_use_bytes "));
    line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_alone() {
    let server = start(|config| config.server.body_timeout = Duration::from_millis(200)).await;
    let content: String = "berth".repeat(1 << 20);
    let digest = berth_oci::Digest::sha256(content.as_bytes());
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: b\r\nauthorization: {AUTHORIZATION}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{content}",
        content.len()
    );
    assert_eq!(status(&send(server.address, &push).await), 201);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(16 << 20)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let driving = tokio::spawn(connection);
    let origin = format!("http://{}", server.address);
    let untaken = ask(&mut client, format!("{origin}/v2/library/hello/blobs/{digest}")).await;
    assert_eq!(untaken.status(), 200);
    while in_use(&mut client, &origin).await == 0 {}
    // What it held is given back, and everything else on the connection goes on.
    while in_use(&mut client, &origin).await > 0 {}
    assert!(untaken.into_body().collect().await.is_err(), "it is no whole answer");
    assert_eq!(ask(&mut client, format!("{origin}/v2/")).await.status(), 200);
    drop(client);
    assert!(server.end().await);
    driving.await.unwrap().unwrap();
}

/// What HTTP/2 may send before anybody reads it lies in memory that no budget counts.
#[tokio::test]
async fn windows_of_http2_are_as_small_as_what_http1_reads_at_once() {
    let server = start(|config| config.server.read_buffer = berth_config::Size::new(128 << 10)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The preface and empty settings.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let (mut of_stream, mut of_connection) = (None, None);
    while of_stream.is_none() || of_connection.is_none() {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut frame =
            vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut frame).await.unwrap();
        let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
        match (head[3], head[4]) {
            // SETTINGS, of which the fourth is the window of each stream; none that acknowledges.
            (4, 0) => {
                let window = frame.chunks(6).find(|setting| setting[..2] == [0, 4]).unwrap();
                of_stream = Some(number(&window[2..]));
            }
            // WINDOW_UPDATE of the connection.
            (8, _) if head[5..] == [0; 4] => of_connection = Some(number(&frame) + 65_535),
            _ => {}
        }
    }
    assert_eq!((of_stream, of_connection), (Some(128 << 10), Some(256 << 10)));
    drop(stream);
    assert!(server.end().await);
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
