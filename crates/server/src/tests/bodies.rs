//! Bodies that strangers send, and never end: whoever pushes does not notice.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::tests::client::{get, number, rest, send, status};
use crate::tests::start;

const ADMIN: &str = "authorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";
const FORM: &str = "content-type: application/x-www-form-urlencoded";

/// Announces a form of this length and sends a third of it.
async fn half_a_form(address: std::net::SocketAddr, path: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let half = format!(
        "POST {path} HTTP/1.1\r\nhost: b\r\n{FORM}\r\ncontent-length: {length}\r\n\r\n{}",
        "p".repeat(length / 3)
    );
    stream.write_all(half.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn forms_that_never_end_take_nothing_from_pushes() {
    let server = start(|config| {
        config.memory.buffers = berth_config::Size::new(16 << 20);
        // They outlast the test.
        config.server.body_timeout = Duration::from_hours(1);
    })
    .await;
    let address = server.address;
    let mut forms = Vec::new();
    for _ in 0..100 {
        forms.push(half_a_form(address, "/c/login", 16 << 10).await);
        forms.push(half_a_form(address, "/service/token", 64 << 10).await);
        // More than what pushes have, if they took it from there.
        forms.push(half_a_form(address, "/service/token", 64 << 10).await);
    }
    // Those of the two that have memory take little each; the others wait for their turn.
    while number(&get(address, "/metrics").await, "berth_buffers_in_use_bytes") < 1 << 20 {}
    let content = "berth".repeat(200_000);
    let blob = berth_oci::Digest::sha256(content.as_bytes());
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={blob} HTTP/1.1\r\nhost: b\r\n{ADMIN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{content}",
        content.len()
    );
    let pushed = send(address, &push).await;
    assert_eq!(status(&pushed), 201, "{pushed}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{blob}","size":{}}},"layers":[]}}"#,
        content.len()
    );
    let push = format!(
        "PUT /v2/library/hello/manifests/1 HTTP/1.1\r\nhost: b\r\n{ADMIN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{manifest}",
        manifest.len()
    );
    let pushed = send(address, &push).await;
    assert_eq!(status(&pushed), 201, "{pushed}");
    assert_eq!(status(&get(address, "/v2/library/hello/manifests/1").await), 200);
    let held = number(&get(address, "/metrics").await, "berth_buffers_in_use_bytes");
    assert!(held >= 1 << 20, "the forms are still there: {held}");
    drop(forms);
    assert!(server.end().await);
}

#[tokio::test]
async fn a_form_that_drips_ends_in_time() {
    let server = start(|config| config.server.body_timeout = Duration::from_secs(1)).await;
    let stream = half_a_form(server.address, "/c/login", 10_000).await;
    let (mut reading, mut writing) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let answer = crate::tests::client::one(&mut reading).await.unwrap();
    assert_eq!(status(&answer), 400, "{answer}");
    dripping.abort();
    drop(reading);
    let login = "principal=admin&password=Admin-Passw0rd";
    let fine = format!(
        "POST /c/login HTTP/1.1\r\nhost: b\r\n{FORM}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{login}",
        login.len()
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(fine.as_bytes()).await.unwrap();
    assert_eq!(status(&rest(&mut stream).await), 200);
    assert!(server.end().await);
}
