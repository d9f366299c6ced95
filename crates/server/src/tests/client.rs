//! A client that shows every byte.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends `text` and reads until the server closes.
pub(crate) async fn send(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has taken everything.
    let _ = stream.write_all(text.as_bytes()).await;
    rest(&mut stream).await
}

/// Asks for a path on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    send(address, &format!("GET {path} HTTP/1.1\r\nhost: berth\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\n\r\n")).await
}

/// Pushes a blob; its path.
pub(crate) async fn push_blob(address: SocketAddr, content: &str) -> String {
    let (digest, length) = (berth_oci::Digest::sha256(content.as_bytes()), content.len());
    let push = format!(
        "POST /v2/library/hello/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{content}"
    );
    assert_eq!(status(&send(address, &push).await), 201);
    format!("/v2/library/hello/blobs/{digest}")
}

/// Everything that still comes.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// One answer with a `content-length`, on a connection that stays open.
pub(crate) async fn one(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    let header = String::from_utf8(answer).unwrap();
    let length = header_of(&header, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    Ok(header + &String::from_utf8(body).unwrap())
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// One header of an answer.
pub(crate) fn header_of<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = answer.lines().take_while(|line| !line.is_empty());
    lines
        .find_map(|line| line.split_once(": ").filter(|(found, _)| found.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}

/// One number of the metrics.
pub(crate) fn number(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{metrics}")).parse().unwrap()
}
