//! Requests whose end two programs may see at different places: each has one answer, and nothing that follows is taken for another.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::tests::client::{get, status};
use crate::tests::start;

/// What would be answered if the end of the request before it were seen too early.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n";

const LOG_IN: &str = "POST /c/login HTTP/1.1\r\nhost: b\r\n";
const CHUNKED: &str = "transfer-encoding: chunked\r\n\r\n";

/// How a request begins, its other fields with what follows them, and the status of its only answer.
#[rustfmt::skip]
const REQUESTS: &[(&str, &str, u16)] = &[
    // Hosts (RFC 9112, 3.2).
    ("GET /v2/ HTTP/1.1\r\n", "\r\n", 400),
    ("GET /v2/ HTTP/1.1\r\n", "host: a\r\nhost: b\r\n\r\n", 400),
    ("GET /v2/ HTTP/1.1\r\n", "host: a\r\nhost: a\r\n\r\n", 400),
    ("GET /v2/ HTTP/1.1\r\n", "host: a/b\r\n\r\n", 400),
    ("GET http://b/v2/ HTTP/1.1\r\n", "\r\n", 400),
    ("GET /healthz HTTP/1.1\r\n", "\r\n", 400),
    ("GET /healthz HTTP/1.1\r\n", "host: b\r\nconnection: close\r\n\r\n", 200),
    ("GET /healthz HTTP/1.0\r\n", "\r\n", 200),
    ("GET /healthz HTTP/1.0\r\n", "host: a\r\nhost: b\r\n\r\n", 400),
    // Lengths and codings (RFC 9112, 6.3). With both, the coding counts and the connection ends.
    (LOG_IN, "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n16\r\nprincipal=a&password=b\r\n0\r\n\r\n", 401),
    (LOG_IN, "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n16\r\nprincipal=a&password=b\r\n0\r\n\r\n", 401),
    (LOG_IN, "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    (LOG_IN, "transfer-encoding: gzip\r\n\r\n", 400),
    (LOG_IN, "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n", 400),
    ("POST /c/login HTTP/1.0\r\n", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (LOG_IN, "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (LOG_IN, "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
    (LOG_IN, "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    (LOG_IN, "content-length: 0\r\ncontent-length: 5\r\n\r\nhello", 400),
    (LOG_IN, "content-length: +5\r\n\r\nhello", 400),
    (LOG_IN, "content-length: 5, 5\r\n\r\nhello", 400),
    (LOG_IN, "content-length: 0x5\r\n\r\nhello", 400),
    (LOG_IN, "content-length: 99999999999999999999999\r\n\r\nhello", 400),
    // Fields (RFC 9112, 5.1 and 5.2).
    (LOG_IN, "content-length : 5\r\n\r\nhello", 400),
    (LOG_IN, " content-length: 5\r\n\r\nhello", 400),
    (LOG_IN, "content-length: 5\r\n folded\r\n\r\nhello", 400),
    (LOG_IN, "content-length\r\n\r\nhello", 400),
    (LOG_IN, "x: a\u{0}b\r\n\r\n", 400),
];

/// Bodies whose chunks cannot be read (RFC 9112, 7.1).
const CHUNKS: &[&str] = &[
    "g\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "4\r\nhello\r\n0\r\n\r\n",
];

/// The statuses of all answers to these bytes, until the server closes.
async fn answers(address: SocketAddr, bytes: &str) -> (Vec<u16>, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has taken everything.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8(answer).unwrap();
    // Words of a refusal may name the protocol, too, but no status behind it.
    let starts = text.match_indices("HTTP/1.").map(|(at, _)| status(&text[at..]));
    (starts.filter(|&status| status > 0).collect(), text)
}

#[tokio::test]
async fn every_request_ends_where_it_ends() {
    let server = start(|_| {}).await;
    for (begins, rest, expected) in REQUESTS {
        let (seen, text) = answers(server.address, &format!("{begins}{rest}{SMUGGLED}")).await;
        assert_eq!(seen, [*expected], "{begins}{rest}: {text}");
    }
    for chunks in CHUNKS {
        let (seen, text) = answers(server.address, &format!("{LOG_IN}{CHUNKED}{chunks}{SMUGGLED}")).await;
        assert_eq!(seen, [400], "{chunks:?}: {text}");
    }
    // What ends where everybody sees it is followed by the next one.
    let trailer = format!("{CHUNKED}16;a=b\r\nprincipal=c&password=d\r\n0\r\nx-trailer: y\r\n\r\n");
    for rest in ["content-length: 22\r\n\r\nprincipal=c&password=d", &trailer] {
        let (seen, text) = answers(server.address, &format!("{LOG_IN}{rest}{SMUGGLED}")).await;
        assert_eq!(seen, [401, 404], "{rest:?}: {text}");
    }
    // Whoever waits to be told to send may send nothing: only after a body that was asked for does anything follow.
    let waiting = |begins: &str| {
        format!("{begins}expect: 100-continue\r\ncontent-length: 22\r\n\r\nprincipal=c&password=d{SMUGGLED}")
    };
    let (seen, text) = answers(server.address, &waiting("POST /c/nothing HTTP/1.1\r\nhost: b\r\n")).await;
    assert_eq!(seen, [404], "{text}");
    assert!(text.contains("connection: close"), "{text}");
    let (seen, text) = answers(server.address, &waiting(LOG_IN)).await;
    assert_eq!(seen, [100, 401, 404], "{text}");
    let counted = get(server.address, "/metrics").await;
    assert!(counted.contains("no-host"), "refusals are counted:\n{counted}");
    assert!(server.end().await);
}
