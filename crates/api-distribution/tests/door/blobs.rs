//! Pull of blobs: whole, in parts, on conditions; and their deletion.

use axum::body::Body;
use berth_oci::Digest;

use crate::house::{Answer, House, Wishes, image};

const REPOSITORY: &str = "library/blobs";

/// Larger than what lives in the database.
fn content() -> Vec<u8> {
    (0_u32..100_000).flat_map(u32::to_be_bytes).collect()
}

async fn asked(house: &House, digest: &Digest, headers: &[(&str, &str)]) -> Answer {
    house.ask("GET", &format!("/v2/{REPOSITORY}/blobs/{digest}"), headers, Body::empty()).await
}

#[tokio::test]
async fn get_and_head_say_the_same() {
    for plain in [false, true] {
        let house = House::with(Wishes { plain, ..Wishes::default() }).await;
        for content in [content(), b"small".to_vec(), Vec::new()] {
            let digest = house.push_blob(REPOSITORY, &content).await;
            let path = format!("/v2/{REPOSITORY}/blobs/{digest}");
            let (got, head) = (house.get(&path).await, house.head(&path).await);
            assert_eq!((got.status, head.status), (200, 200));
            assert_eq!(got.bytes(), &content);
            for answer in [&got, &head] {
                assert_eq!(answer.header("content-length"), content.len().to_string());
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("accept-ranges"), "bytes");
            }
        }
    }
}

#[tokio::test]
async fn one_range() {
    for plain in [false, true] {
        let house = House::with(Wishes { plain, ..Wishes::default() }).await;
        for content in [content(), b"0123456789".to_vec()] {
            let digest = house.push_blob(REPOSITORY, &content).await;
            let size = content.len();
            let last = size - 1;
            for (range, start, end) in [
                ("bytes=0-0".to_owned(), 0, 1),
                ("bytes=3-6".to_owned(), 3, 7),
                (format!("bytes={last}-"), last, size),
                ("bytes=0-".to_owned(), 0, size),
                ("bytes=5-".to_owned(), 5, size),
                ("bytes=-4".to_owned(), size - 4, size),
                (format!("bytes=-{}", size * 2), 0, size),
                (format!("bytes=2-{}", size * 2), 2, size),
            ] {
                let answer = asked(&house, &digest, &[("range", &range)]).await;
                assert_eq!(answer.status, 206, "{range}");
                assert_eq!(answer.bytes(), &content[start..end], "{range}");
                assert_eq!(answer.header("content-range"), format!("bytes {start}-{}/{size}", end - 1));
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("content-type"), "application/octet-stream");
            }
        }
    }
}

#[tokio::test]
async fn ranges_that_cannot_be() {
    let house = House::open().await;
    let digest = house.push_blob(REPOSITORY, b"0123456789").await;
    for range in ["bytes=10-", "bytes=10-20", "bytes=6-5", "bytes=-0", "bytes=99999999999999999999-"] {
        let answer = asked(&house, &digest, &[("range", range)]).await;
        answer.expect(416, "RANGE_INVALID");
        assert_eq!(answer.header("content-range"), "bytes */10", "{range}");
    }
    for ignored in ["bytes=a-b", "lines=1-2", "bytes", "bytes=", "bytes=0-5,3-8"] {
        let answer = asked(&house, &digest, &[("range", ignored)]).await;
        assert_eq!((answer.status, answer.text()), (200, "0123456789"), "{ignored}");
    }
    let path = format!("/v2/{REPOSITORY}/blobs/{digest}");
    let head = house.ask("HEAD", &path, &[("range", "bytes=1-2")], Body::empty()).await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
    let empty = house.push_blob(REPOSITORY, b"").await;
    assert_eq!(asked(&house, &empty, &[("range", "bytes=0-")]).await.status, 416);
}

#[tokio::test]
async fn several_ranges_are_parts() {
    for plain in [false, true] {
        let house = House::with(Wishes { plain, ..Wishes::default() }).await;
        let content = content();
        let digest = house.push_blob(REPOSITORY, &content).await;
        let answer = asked(&house, &digest, &[("range", "bytes=300000-399989, 0-1, -5")]).await;
        assert_eq!(answer.status, 206);
        let media_type = answer.header("content-type");
        let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
        let mut expected = Vec::new();
        for (start, end) in [(300_000, 399_990), (0, 2), (399_995, 400_000)] {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {start}-{}/400000\r\n\r\n",
                end - 1
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend_from_slice(&content[start..end]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert_eq!(answer.bytes(), &expected);
    }
}

#[tokio::test]
async fn conditions() {
    let house = House::open().await;
    let digest = house.push_blob(REPOSITORY, b"0123456789").await;
    let (own, other) = (format!("\"{digest}\""), format!("\"{}\"", Digest::sha256(b"other")));
    let bare = digest.to_string();
    let path = format!("/v2/{REPOSITORY}/blobs/{digest}");
    for method in ["GET", "HEAD"] {
        for known in
            [own.clone(), bare.clone(), format!("W/{own}"), format!("{other}, {own}"), "*".to_owned()]
        {
            let answer = house.ask(method, &path, &[("if-none-match", &known)], Body::empty()).await;
            assert_eq!(answer.status, 304, "{known}");
            assert_eq!(answer.header("etag"), own);
            assert!(!answer.has("content-length"));
        }
        let answer = house.ask(method, &path, &[("if-none-match", &other)], Body::empty()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(house.ask(method, &path, &[("if-match", &own)], Body::empty()).await.status, 200);
        let answer = house.ask(method, &path, &[("if-match", &other)], Body::empty()).await;
        assert_eq!((answer.status, answer.header("etag")), (412, own.as_str()));
    }
    for (condition, status) in
        [(&own, 206), (&bare, 206), (&other, 200), (&"Tue, 15 Nov 1994 12:45:26 GMT".to_owned(), 200)]
    {
        let answer = asked(&house, &digest, &[("range", "bytes=1-2"), ("if-range", condition)]).await;
        assert_eq!(answer.status, status, "{condition}");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let house = House::open().await;
    let digest = Digest::sha256(b"nowhere");
    let answer = house.get(&format!("/v2/library/none/blobs/{digest}")).await;
    answer.expect(404, "NAME_UNKNOWN");
    insta::assert_snapshot!("name_unknown", answer.text());
    house.push_blob(REPOSITORY, b"x").await;
    let answer = asked(&house, &digest, &[]).await;
    answer.expect(404, "BLOB_UNKNOWN");
    insta::assert_snapshot!("blob_unknown", answer.text());
    assert_eq!(house.head(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.status, 404);
}

#[tokio::test]
async fn delete_takes_out_what_nothing_needs() {
    let house = House::open().await;
    let (config, layer) = (house.config(REPOSITORY).await, house.layer(REPOSITORY, "layer").await);
    let manifest = image(&[&config, &layer], None);
    assert_eq!(house.put_manifest(REPOSITORY, "1", &manifest).await.status, 201);
    let path = format!("/v2/{REPOSITORY}/blobs/{}", layer["digest"].as_str().expect("a digest"));
    let refused = house.delete(&path).await;
    refused.expect(405, "UNSUPPORTED");
    assert!(refused.has("allow"));
    insta::assert_snapshot!("blob_in_use", refused.text());

    let manifest = Digest::sha256(manifest.as_bytes());
    assert_eq!(house.delete(&format!("/v2/{REPOSITORY}/manifests/{manifest}")).await.status, 202);
    let answer = house.delete(&path).await;
    assert_eq!((answer.status, answer.header("content-length")), (202, "0"));
    assert_eq!(house.head(&path).await.status, 404);
    house.delete(&path).await.expect(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn lost_bytes_are_unknown_and_a_push_heals_them() {
    let house = House::open().await;
    let digest = house.push_blob(REPOSITORY, &content()).await;
    remove_files(&house.directory.path().join("blobs"), 400_000);
    asked(&house, &digest, &[]).await.expect(404, "BLOB_UNKNOWN");
    assert_eq!(house.head(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.status, 404);
    house.push_blob(REPOSITORY, &content()).await;
    assert_eq!(asked(&house, &digest, &[]).await.bytes(), &content());
}

/// Removes every file of `size` bytes below a directory.
fn remove_files(directory: &std::path::Path, size: u64) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let metadata = entry.metadata().expect("metadata");
        if metadata.is_dir() {
            remove_files(&entry.path(), size);
        } else if metadata.len() == size {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
}
