//! What is set reaches the registry that runs.

use std::time::Duration;

use berth_config::{Config, MissingContent, Size};
use berth_metadata::{RepositoryReads as _, TagReads as _};
use berth_metadata_sql::SqlMetadata;
use berth_oci::Digest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tests::client::{get, header_of, one, send, status};
use crate::tests::{Running, config, start};

const ADMIN: &str = "host: b\r\nauthorization: Basic YWRtaW46QWRtaW4tUGFzc3cwcmQ=";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An index of these entries that says something.
fn index(entries: &str, annotation: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entries}],"annotations":{{"a":"{annotation}"}}}}"#
    )
}

/// What describes content that nobody has pushed.
fn missing(media_type: &str) -> String {
    let digest = Digest::sha256(b"never pushed");
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":12}}"#)
}

/// Puts a manifest under the tag `set`.
async fn put(server: &Running, media_type: &str, manifest: &str) -> String {
    let fields = format!("{ADMIN}\r\ncontent-type: {media_type}\r\ncontent-length: {}", manifest.len());
    let begins = "PUT /v2/library/hello/manifests/set HTTP/1.1";
    send(server.address, &format!("{begins}\r\n{fields}\r\nconnection: close\r\n\r\n{manifest}")).await
}

/// Starts an upload; where it goes on.
async fn start_upload(server: &Running) -> String {
    let begins = "POST /v2/library/hello/blobs/uploads/ HTTP/1.1";
    let post = format!("{begins}\r\n{ADMIN}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let answer = send(server.address, &post).await;
    assert_eq!(status(&answer), 202, "{answer}");
    header_of(&answer, "location").unwrap().to_owned()
}

#[tokio::test]
async fn history_lines() {
    assert_eq!(Config::default().registry.history_lines, 1000);
    let server = start(|config| config.registry.history_lines = 2).await;
    for n in 0..4 {
        let answer = put(&server, INDEX, &index("", &n.to_string())).await;
        assert_eq!(status(&answer), 201, "{answer}");
    }
    let data = server.stop().await;
    let file = config(&data).embedded_database().unwrap();
    let metadata = SqlMetadata::open_sqlite(&file).await.unwrap();
    let repository = metadata.repository(&"library/hello".parse().unwrap()).await.unwrap().unwrap();
    let history = metadata.tag_history(repository.id, &"set".parse().unwrap(), 10).await.unwrap();
    let digest = |n: u32| Some(Digest::sha256(index("", &n.to_string()).as_bytes()));
    let moves: Vec<_> = history.iter().map(|line| (line.from, line.to)).collect();
    assert_eq!(moves, [(digest(2), digest(3)), (digest(1), digest(2))]);
}

#[tokio::test]
async fn missing_content() {
    let entry = index(&missing(MANIFEST), "");
    let config = missing("application/vnd.oci.image.config.v1+json");
    let image = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[]}}"#);
    for (setting, indexes, images) in [
        (MissingContent::None, 400, 400),
        (MissingContent::Children, 201, 400),
        (MissingContent::Any, 201, 201),
    ] {
        let server = start(|config| config.registry.missing_content = setting).await;
        for (media_type, manifest, expected) in [(INDEX, &entry, indexes), (MANIFEST, &image, images)] {
            let answer = put(&server, media_type, manifest).await;
            assert_eq!(status(&answer), expected, "{setting:?}: {answer}");
            assert_eq!(answer.contains("MANIFEST_BLOB_UNKNOWN"), expected == 400, "{answer}");
        }
        assert!(server.end().await);
    }
}

#[tokio::test]
async fn manifest_limit() {
    let default = Config::default().registry.manifest_limit.bytes();
    for (limit, size, expected) in [(64 << 10, 100 << 10, 413), (default + (2 << 20), 5 << 20, 201)] {
        let server = start(|config| config.registry.manifest_limit = Size::new(limit)).await;
        let manifest = index("", &"x".repeat(size));
        let answer = put(&server, INDEX, &manifest).await;
        assert_eq!(status(&answer), expected, "{answer}");
        let pulled = get(server.address, "/v2/library/hello/manifests/set").await;
        assert_eq!(pulled.ends_with(manifest.as_str()), expected == 201, "{} bytes", pulled.len());
        assert!(server.end().await);
    }
    assert!(default < 5 << 20, "the larger one is one that is refused where nothing is set");
}

#[tokio::test]
async fn upload_expiry() {
    for (expiry, expected) in [(Duration::from_hours(24), 204), (Duration::ZERO, 404)] {
        let server = start(|config| config.registry.upload_expiry = expiry).await;
        let location = start_upload(&server).await;
        assert_eq!(status(&get(server.address, &location).await), expected, "{expiry:?}");
        assert!(server.end().await);
    }
}

/// What came is durable while the rest of the body is still to come.
#[tokio::test]
async fn checkpoint_every() {
    let server = start(|config| config.registry.checkpoint_every = Size::new(1 << 20)).await;
    let location = start_upload(&server).await;
    let content = "u".repeat(4 << 20);
    let (sent, rest) = content.split_at(3 << 20);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let length = content.len();
    let patch = format!("PATCH {location} HTTP/1.1\r\n{ADMIN}\r\ncontent-length: {length}\r\n\r\n{sent}");
    stream.write_all(patch.as_bytes()).await.unwrap();
    let durable = async {
        loop {
            let answer = get(server.address, &location).await;
            assert_eq!(status(&answer), 204, "{answer}");
            let last: usize = header_of(&answer, "range").unwrap()["0-".len()..].parse().unwrap();
            if last > 0 {
                break last + 1;
            }
        }
    };
    let durable = timeout(Duration::from_mins(1), durable).await.expect("a checkpoint before the end");
    assert!(durable <= sent.len(), "{durable}");
    stream.write_all(rest.as_bytes()).await.unwrap();
    let answer = one(&mut stream).await.unwrap();
    let end = format!("0-{}", length - 1);
    assert_eq!((status(&answer), header_of(&answer, "range")), (202, Some(end.as_str())), "{answer}");
    drop(stream);
    assert!(server.end().await);
}
