//! Docker's clients know a registry by one header: every answer below `/v2/` has it, also one that no door gave.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::tests::client::{get, header_of, one, rest, send, status};
use crate::tests::start;

fn spoken(answer: &str) -> Option<&str> {
    header_of(answer, "docker-distribution-api-version")
}

#[tokio::test]
async fn refusals_below_v2_say_what_is_spoken_there() {
    let server = start(|config| config.server.metrics_listen = Some("127.0.0.1:0".parse().unwrap())).await;
    let (long, fields) = ("a".repeat(9 << 10), "host: b\r\nconnection: close\r\n");
    for (request, expected) in [
        (format!("GET /v2/ HTTP/1.1\r\n{fields}"), 401),
        ("GET /v2/ HTTP/1.1\r\n".to_owned(), 400),
        (
            format!("POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\n{fields}transfer-encoding: gzip, chunked\r\n"),
            501,
        ),
        (format!("GET /v2/{long} HTTP/1.1\r\n{fields}"), 414),
        (format!("GET /v2/{long}{long} HTTP/1.1\r\n{fields}"), 414),
        (format!("GET /service/token?scope={long} HTTP/1.1\r\n{fields}"), 414),
        (format!("GET /v2/ HTTP/1.1\r\n{fields}x-long: {long}{long}\r\n"), 431),
        ("GET\r\n".to_owned(), 400),
    ] {
        let answer = send(server.address, &format!("{request}\r\n")).await;
        assert_eq!((status(&answer), spoken(&answer)), (expected, Some("registry/2.0")), "{answer}");
        assert_eq!(answer.to_lowercase().matches("docker-distribution").count(), 1, "{answer}");
    }
    for (request, expected) in [
        (format!("GET /elsewhere HTTP/1.1\r\n{fields}"), 404),
        (format!("GET /v2x/ HTTP/1.1\r\n{fields}"), 404),
        ("GET /api/v2.0/ping HTTP/1.1\r\n".to_owned(), 400),
        (format!("GET /api/v2.0/{long} HTTP/1.1\r\n{fields}"), 414),
    ] {
        let answer = send(server.address, &format!("{request}\r\n")).await;
        assert_eq!((status(&answer), spoken(&answer)), (expected, None), "{answer}");
    }
    // Where health is by itself, nothing is a registry's.
    let apart = server.metrics.unwrap();
    for answer in [get(apart, "/v2/").await, send(apart, "GET\r\n\r\n").await] {
        assert!(status(&answer) >= 400 && spoken(&answer).is_none(), "{answer}");
    }
    assert!(server.end().await);
}

#[tokio::test]
async fn refusals_of_connections_say_it_too() {
    let server = start(|config| {
        config.server.max_connections = 1;
        config.server.header_timeout = std::time::Duration::from_secs(1);
    })
    .await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /v2/ HTTP/1.1\r\nhost: b\r\n\r\n").await.unwrap();
    assert_eq!(status(&one(&mut first).await.unwrap()), 401);
    let refused = get(server.address, "/v2/").await;
    assert_eq!((status(&refused), spoken(&refused)), (503, Some("registry/2.0")), "{refused}");
    first.write_all(b"GET /v2/ HT").await.unwrap();
    let late = rest(&mut first).await;
    assert_eq!((status(&late), spoken(&late)), (408, Some("registry/2.0")), "{late}");
    assert!(server.end().await);
}
