//! A large blob in and out over each protocol that is not plain HTTP/1.1: pushed, broken off, gone on with, pulled, in parts.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use berth_oci::Digest;
use bytes::BytesMut;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tests::client::{get, number};
use crate::tests::{Running, start, tls};

const AUTHORIZATION: &str = "Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";
const MIB: usize = 1 << 20;
/// Not a multiple of anything that the server reads or writes at once.
const SIZE: usize = 100 * MIB + 12_345;
/// How much is sent before the client breaks off.
const BROKEN: usize = 30 * MIB;

trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection for S {}

enum Speaker {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

/// A client of one protocol.
struct Client<'a> {
    server: &'a Running,
    certificate: Option<CertificateDer<'static>>,
    is_http2: bool,
    speaker: Speaker,
}

impl<'a> Client<'a> {
    async fn open(server: &'a Running, certificate: Option<CertificateDer<'static>>, is_http2: bool) -> Self {
        let speaker = speaker(server, certificate.as_ref(), is_http2).await;
        Self { server, certificate, is_http2, speaker }
    }

    /// Goes on after something was broken off, which ends a connection of HTTP/1.1 and a stream of HTTP/2.
    async fn go_on(&mut self) {
        if !self.is_http2 {
            self.speaker = speaker(self.server, self.certificate.as_ref(), false).await;
        }
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, String)],
        body: Body,
    ) -> hyper::Result<Response<Incoming>> {
        let uri = if self.is_http2 { format!("https://localhost{path}") } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(uri).header("authorization", AUTHORIZATION);
        if !self.is_http2 {
            request = request.header("host", "localhost");
        }
        for (name, value) in fields {
            request = request.header(*name, value);
        }
        let request = request.body(body).unwrap();
        match &mut self.speaker {
            Speaker::Http1(speaker) => speaker.ready().await?,
            Speaker::Http2(speaker) => speaker.ready().await?,
        }
        match &mut self.speaker {
            Speaker::Http1(speaker) => speaker.send_request(request).await,
            Speaker::Http2(speaker) => speaker.send_request(request).await,
        }
    }

    /// Asks without a body; what is answered.
    async fn get(&mut self, path: &str, fields: &[(&str, String)]) -> (StatusCode, HeaderMap, Bytes) {
        let answer = self.ask(Method::GET, path, fields, Body::empty()).await.unwrap();
        let (parts, body) = answer.into_parts();
        (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
    }
}

async fn speaker(server: &Running, certificate: Option<&CertificateDer<'static>>, is_http2: bool) -> Speaker {
    let protocol = if is_http2 { "h2" } else { "http/1.1" };
    let stream: Box<dyn Connection> = match certificate {
        Some(certificate) => Box::new(tls::connect(server.address, certificate, &[protocol]).await.unwrap()),
        None => Box::new(TcpStream::connect(server.address).await.unwrap()),
    };
    let stream = TokioIo::new(stream);
    if is_http2 {
        let (speaker, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        Speaker::Http2(speaker)
    } else {
        let (speaker, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Speaker::Http1(speaker)
    }
}

fn content() -> Bytes {
    let block: Vec<u8> = (0..MIB).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect();
    let mut content = BytesMut::with_capacity(SIZE);
    for mark in 0_u64.. {
        let room = SIZE - content.len();
        if room == 0 {
            break;
        }
        content.extend_from_slice(&mark.to_be_bytes()[..room.min(8)]);
        content.extend_from_slice(&block[..(room - room.min(8)).min(MIB)]);
    }
    content.freeze()
}

/// A body of these pieces, and then no more of it.
fn broken_off(content: &Bytes) -> Body {
    let pieces: Vec<_> = (0..BROKEN / MIB).map(|at| Ok(content.slice(at * MIB..(at + 1) * MIB))).collect();
    let end = stream::once(async { Err(io::Error::other("the client breaks off")) });
    Body::from_stream(stream::iter(pieces).chain(end))
}

/// Pushes all of it, the second part after the first broke off.
async fn push(client: &mut Client<'_>, content: &Bytes, digest: &Digest) {
    let answer =
        client.ask(Method::POST, "/v2/library/large/blobs/uploads/", &[], Body::empty()).await.unwrap();
    assert_eq!(answer.status(), 202);
    let mut location = answer.headers()["location"].to_str().unwrap().to_owned();
    answer.into_body().collect().await.unwrap();
    let length = [("content-length", SIZE.to_string())];
    let broken = client.ask(Method::PATCH, &location, &length, broken_off(content)).await;
    assert!(!broken.is_ok_and(|answer| answer.status().is_success()), "half a body is no success");
    loop {
        client.go_on().await;
        let (status, fields, _) = client.get(&location, &[]).await;
        assert_eq!(status, 204);
        let last: usize = fields["range"].to_str().unwrap().strip_prefix("0-").unwrap().parse().unwrap();
        let offset = if last == 0 { 0 } else { last + 1 };
        assert!(offset <= BROKEN, "more than was sent: {offset}");
        let range = [
            ("content-range", format!("{offset}-{}", SIZE - 1)),
            ("content-length", (SIZE - offset).to_string()),
        ];
        let rest = Body::from(content.slice(offset..));
        // The server may still take what was on its way, and then asks to go on from there.
        let Ok(answer) = client.ask(Method::PATCH, &location, &range, rest).await else { continue };
        if answer.status() == 202 {
            answer.headers()["location"].to_str().unwrap().clone_into(&mut location);
            break;
        }
        assert_eq!(answer.status(), 416);
    }
    let and = if location.contains('?') { '&' } else { '?' };
    let path = format!("{location}{and}digest={digest}");
    let answer = client.ask(Method::PUT, &path, &[], Body::empty()).await.unwrap();
    assert_eq!(answer.status(), 201);
}

async fn story(server: Running, certificate: Option<CertificateDer<'static>>, is_http2: bool) {
    let content = content();
    let digest = Digest::sha256(&content);
    let mut client = Client::open(&server, certificate, is_http2).await;
    push(&mut client, &content, &digest).await;

    let path = format!("/v2/library/large/blobs/{digest}");
    let (status, _, whole) = client.get(&path, &[]).await;
    assert_eq!((status, whole.len()), (StatusCode::OK, SIZE));
    assert!(whole == content, "it came back changed");
    drop(whole);
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=50000000-50999999", 50_000_000..51_000_000),
        ("bytes=90000001-", 90_000_001..SIZE),
        ("bytes=-5000", SIZE - 5000..SIZE),
    ] {
        let (status, _, part) = client.get(&path, &[("range", range.to_owned())]).await;
        assert_eq!(status, 206, "{range}");
        assert!(part == content.slice(expected), "{range}");
    }

    // An answer that is dropped in the middle ends alone over HTTP/2, and what was read for it is given back.
    let mut answer = client.ask(Method::GET, &path, &[], Body::empty()).await.unwrap();
    let piece = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(content.starts_with(&piece));
    drop(answer);
    client.go_on().await;
    let (status, ..) = client.get("/v2/", &[]).await;
    assert_eq!(status, 200);
    if client.certificate.is_none() {
        while number(&get(server.address, "/metrics").await, "berth_buffers_in_use_bytes") > 0 {}
    }
    drop(client);
    assert!(server.end().await);
}

async fn encrypted(is_http2: bool) {
    let files = tempfile::tempdir().unwrap();
    let certificate = tls::issue(files.path());
    let server = start(|config| {
        config.tls.certificate = Some(files.path().join("cert.pem"));
        config.tls.key = Some(files.path().join("key.pem"));
    })
    .await;
    story(server, Some(certificate), is_http2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_blob_over_tls_and_http1() {
    encrypted(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_blob_over_tls_and_http2() {
    encrypted(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_blob_over_http2_without_tls() {
    story(start(|_| {}).await, None, true).await;
}
