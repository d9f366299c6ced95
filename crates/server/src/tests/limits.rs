//! What one client may take, and what it is told beyond that.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::subscriber::DefaultGuard;

use crate::tests::client::{get, header_of, one, rest, send, status};
use crate::tests::start;

#[tokio::test]
async fn long_paths_and_headers_are_refused_with_words() {
    let server = start(|_| {}).await;
    for length in [9 << 10, 15 << 10, 17 << 10, 20 << 10, 40 << 10, 64 << 10] {
        let answer = get(server.address, &format!("/v2/{}", "a".repeat(length))).await;
        assert_eq!(status(&answer), 414, "{length}: {answer}");
        assert!(answer.contains("\"errors\""), "{answer}");
    }
    for length in [17 << 10, 40 << 10] {
        let long = format!(
            "GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nx-long: {}\r\n\r\n",
            "a".repeat(length)
        );
        let answer = send(server.address, &long).await;
        assert_eq!(status(&answer), 431, "{answer}");
        assert!(answer.contains("\"errors\""), "{answer}");
    }
    assert_eq!(status(&get(server.address, "/v2/").await), 200);
    assert!(server.end().await);
}

#[tokio::test]
async fn a_header_that_drips_is_ended_with_words() {
    let server = start(|config| config.server.header_timeout = Duration::from_secs(1)).await;
    let slow = TcpStream::connect(server.address).await.unwrap();
    let (mut reading, mut writing) = slow.into_split();
    let dripping = tokio::spawn(async move {
        writing.write_all(b"GET /v2/ HTTP/1.1\r\nx-slow: ").await.unwrap();
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = Vec::new();
    // The server closes while bytes are still on their way, which may end in a reset.
    let _ = reading.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status(&answer), 408, "{answer}");
    dripping.await.unwrap();
    assert!(server.end().await);
}

#[tokio::test]
async fn connections_without_requests_are_closed() {
    let server = start(|config| {
        config.server.header_timeout = Duration::from_secs(1);
        config.server.idle_timeout = Duration::from_secs(1);
    })
    .await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(
        b"GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(status(&one(&mut idle).await.unwrap()), 200);
    assert_eq!(rest(&mut idle).await, "");
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    assert!(server.end().await);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_to_come_again() {
    let server = start(|config| config.server.max_connections = 1).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first
        .write_all(
            b"GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n\r\n",
        )
        .await
        .unwrap();
    assert_eq!(status(&one(&mut first).await.unwrap()), 200);
    let refused = get(server.address, "/v2/").await;
    assert_eq!((status(&refused), header_of(&refused, "retry-after")), (503, Some("1")));
    assert!(refused.contains("UNAVAILABLE"), "{refused}");
    drop(first);
    while status(&get(server.address, "/v2/").await) != 200 {}
    assert!(server.end().await);
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_told_to_come_again() {
    let server = start(|config| config.server.max_uploads = 1).await;
    let mut first = crate::tests::drain::half_a_chunk(&server).await;
    crate::tests::drain::wait_for_an_upload(&server).await;
    let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
    );
    let refused = send(server.address, &push).await;
    assert_eq!(status(&refused), 429, "{refused}");
    assert!(header_of(&refused, "retry-after").is_some(), "{refused}");
    first.write_all(b"done").await.unwrap();
    assert_eq!(status(&one(&mut first).await.unwrap()), 202);
    assert_eq!(status(&send(server.address, &push).await), 201);
    assert!(server.end().await);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_let_go() {
    let server = start(|config| config.server.body_timeout = Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Answers that are never taken fill every buffer on the way.
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nx-request-id: {}\r\n\r\n",
        "a".repeat(100)
    );
    while stream.write_all(request.as_bytes()).await.is_ok() {}
    assert_eq!(status(&get(server.address, "/v2/").await), 200);
    assert!(server.end().await);
}

/// Everything that is logged on this thread as long as the guard is there.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn capture() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    fn with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asserts that the answer has a body and an id, and that one line of the log has the same.
fn assert_told(lines: &Lines, route: &str, answer: &str) {
    let id = header_of(answer, "x-request-id").unwrap_or_else(|| panic!("no id: {answer}"));
    assert!(answer.contains("{\"errors\":[{\"code\":\""), "{answer}");
    let logged = lines.with(&format!("request_id=\"{id}\""));
    assert_eq!(logged.len(), 1, "{logged:?}");
    let status = format!("status={}", status(answer));
    assert!(logged[0].contains(&format!("route=\"{route}\"")) && logged[0].contains(&status), "{logged:?}");
}

#[tokio::test]
async fn what_no_request_was_made_of_is_answered_and_logged_like_one() {
    let (lines, _guard) = Lines::capture();
    let server = start(|config| config.server.header_timeout = Duration::from_secs(1)).await;
    for junk in [
        "GET\r\n\r\n",
        "\u{1}\u{2}\r\n\r\n",
        "GET /v2/ HTTP/9.9\r\n\r\n",
        "GET /v2/ HTTP/1.1\r\nno field\r\n\r\n",
    ] {
        let answer = send(server.address, junk).await;
        assert_eq!(status(&answer), 400, "{junk:?}: {answer}");
        assert_told(&lines, "not-http", &answer);
    }
    let answer = get(server.address, &format!("/v2/{}", "a".repeat(40 << 10))).await;
    assert_told(&lines, "uri-too-long", &answer);
    let long = format!("GET /v2/ HTTP/1.1\r\nhost: b\r\nx-long: {}\r\n\r\n", "a".repeat(40 << 10));
    assert_told(&lines, "header-too-long", &send(server.address, &long).await);
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /v2/ HT").await.unwrap();
    assert_told(&lines, "header-timeout", &rest(&mut slow).await);
    let metrics = get(server.address, "/metrics").await;
    let counted = "berth_http_requests_total{route=\"not-http\",method=\"none\",status=\"4xx\"} 4";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(server.end().await);
}

#[tokio::test]
async fn a_request_behind_answers_is_refused_in_its_place() {
    let (lines, _guard) = Lines::capture();
    let server = start(|_| {}).await;
    // All at once: the good ones are answered first, and the bad one does not take their answers' place.
    let good = "GET /healthz HTTP/1.1\r\nhost: b\r\n\r\n";
    let answers = send(server.address, &format!("{good}{good}GET\r\n\r\n")).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    let last = answers.rfind("HTTP/1.1 400 Bad Request").unwrap_or_else(|| panic!("{answers}"));
    assert_told(&lines, "not-http", &answers[last..]);
    assert!(server.end().await);
}

#[tokio::test]
async fn the_longest_header_is_kept_however_much_is_read_at_once() {
    let server = start(|_| {}).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = |fields: &str| {
        format!(
            "GET /v2/ HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\n{fields}\r\n"
        )
    };
    // A body lets the connection read more at once from then on.
    let body = "a".repeat(2 << 20);
    let long = head(&format!("content-length: {}\r\n", body.len()))
        .replace("GET /v2/", "PUT /v2/library/x/manifests/1");
    stream.write_all(long.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(status(&one(&mut stream).await.unwrap()), 400);
    let fits = head(&format!("x-long: {}\r\n", "a".repeat(15 << 10)));
    stream.write_all(fits.as_bytes()).await.unwrap();
    assert_eq!(status(&one(&mut stream).await.unwrap()), 200);
    let long = head(&format!("x-long: {}\r\n", "a".repeat(20 << 10)));
    stream.write_all(long.as_bytes()).await.unwrap();
    assert_eq!(status(&rest(&mut stream).await), 431);
    assert!(server.end().await);
}

#[tokio::test]
async fn what_is_no_http_gets_an_answer_or_an_end() {
    let server = start(|_| {}).await;
    for junk in ["GET\r\n\r\n", "PRI * HTTP/3\r\n\r\n", "\u{1}\u{2}\r\n\r\n", "GET /v2/ HTTP/9.9\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(junk.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{junk:?}");
    }
    assert_eq!(status(&get(server.address, "/v2/").await), 200);
    assert!(server.end().await);
}
