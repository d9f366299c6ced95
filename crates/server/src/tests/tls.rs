//! TLS: which protocol is chosen, and certificates that change while the server runs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tests::client::{header_of, send, status};
use crate::tests::start;

/// Writes a new certificate and its key.
pub(crate) fn issue(directory: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("key.pem"), signing_key.serialize_pem()).unwrap();
    std::fs::write(directory.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

/// Connects, trusting only `certificate` and offering these protocols.
pub(crate) async fn connect(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn get(address: SocketAddr, certificate: &CertificateDer<'static>) -> std::io::Result<u16> {
    let mut stream = connect(address, certificate, &["h2", "http/1.1"]).await?;
    let chosen = stream.get_ref().1.alpn_protocol();
    assert_eq!(chosen, Some(b"http/1.1".as_slice()), "the faster protocol is preferred");
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(status(&answer))
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart_and_a_bad_one_is_not() {
    let files = tempfile::tempdir().unwrap();
    let old = issue(files.path());
    let server = start(|config| {
        config.tls.certificate = Some(files.path().join("cert.pem"));
        config.tls.key = Some(files.path().join("key.pem"));
    })
    .await;
    assert_eq!(get(server.address, &old).await.unwrap(), 200);

    std::fs::write(files.path().join("cert.pem"), "no certificate").unwrap();
    assert_eq!(get(server.address, &old).await.unwrap(), 200, "the old one stays");

    let new = issue(files.path());
    while get(server.address, &new).await.is_err() {
        assert_eq!(get(server.address, &old).await.unwrap_or(200), 200, "one of the two is always good");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(get(server.address, &new).await.unwrap(), 200);
    assert!(get(server.address, &old).await.is_err());
    let h2 = connect(server.address, &new, &["h2"]).await.unwrap();
    assert_eq!(h2.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    drop(h2);
    assert!(server.end().await);
}

#[tokio::test]
async fn who_speaks_plainly_is_told_to_speak_tls() {
    let files = tempfile::tempdir().unwrap();
    let certificate = issue(files.path());
    let server = start(|config| {
        config.tls.certificate = Some(files.path().join("cert.pem"));
        config.tls.key = Some(files.path().join("key.pem"));
    })
    .await;
    let answer = send(server.address, "GET /v2/ HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(status(&answer), 400, "{answer}");
    assert!(answer.contains("https://"), "{answer}");
    assert_eq!(get(server.address, &certificate).await.unwrap(), 200);
    assert!(server.end().await);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_to_come_again() {
    let files = tempfile::tempdir().unwrap();
    let certificate = issue(files.path());
    let server = start(|config| {
        config.tls.certificate = Some(files.path().join("cert.pem"));
        config.tls.key = Some(files.path().join("key.pem"));
        config.server.max_connections = 1;
    })
    .await;
    let first = connect(server.address, &certificate, &["h2"]).await.unwrap();
    for protocols in [&["h2", "http/1.1"][..], &["http/1.1"], &[]] {
        let mut refused = connect(server.address, &certificate, protocols).await.unwrap();
        refused.write_all(b"GET /v2/ HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let answer = crate::tests::client::rest(&mut refused).await;
        assert_eq!((status(&answer), header_of(&answer, "retry-after")), (503, Some("1")), "{answer}");
    }
    assert!(connect(server.address, &certificate, &["h2"]).await.is_err(), "that text is not HTTP/2");
    drop(first);
    while get(server.address, &certificate).await.unwrap_or_default() != 200 {}
    assert!(server.end().await);
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_at_the_start() {
    let (files, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    issue(files.path());
    issue(others.path());
    let data = tempfile::tempdir().unwrap();
    let mut config = crate::tests::config(&data);
    config.tls.certificate = Some(files.path().join("cert.pem"));
    config.tls.key = Some(others.path().join("key.pem"));
    let checked = format!("{:#}", crate::check(&config).unwrap_err());
    assert!(!config.data.directory.exists(), "a check makes nothing");
    let refused = format!("{:#}", crate::Server::bind(&config).await.unwrap_err());
    assert!(refused.contains("does not belong to the certificate"), "{refused}");
    assert!(refused.contains("tls.certificate"), "{refused}");
    assert_eq!(checked, refused, "a check says what a start would say");
    config.tls.key = Some(files.path().join("key.pem"));
    crate::check(&config).unwrap();
}
