//! What is refused leaves nothing visible: a repository is unknown until content came that is kept.

use axum::body::Body;
use berth_oci::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::house::{Answer, House, with};

const GHOST: &str = "library/ghost";
/// More than a session keeps in its row, and than one buffer holds.
const LARGE: usize = (1 << 20) + 1000;

async fn tags(house: &House) -> Answer {
    house.get(&format!("/v2/{GHOST}/tags/list")).await
}

#[track_caller]
fn assert_unknown(answer: &Answer) {
    answer.expect(404, "NAME_UNKNOWN");
}

/// Appends to a new session; where it goes on.
async fn begin(house: &House, content: &[u8]) -> String {
    let location = house.start(GHOST).await;
    let answer = house.ask("PATCH", &location, &[], content.to_vec()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.header("location").to_owned()
}

#[tokio::test]
async fn a_refused_upload_makes_no_repository() {
    let house = House::open().await;
    let wrong = Digest::sha256(b"something else");
    for size in [10, 100_000, LARGE] {
        let content = vec![b'x'; size];
        assert_unknown(&tags(&house).await);
        let location = begin(&house, &content).await;
        assert_unknown(&tags(&house).await);
        let close = with(&location, &format!("digest={wrong}"));
        house.ask("PUT", &close, &[], Body::empty()).await.expect(400, "DIGEST_INVALID");
        assert_unknown(&tags(&house).await);
        assert_eq!(house.delete(&location).await.status, 204);
        assert_unknown(&tags(&house).await);

        let started = house.start(GHOST).await;
        let close = with(&started, &format!("digest={wrong}"));
        house.ask("PUT", &close, &[], content.clone()).await.expect(400, "DIGEST_INVALID");
        let at_once = format!("/v2/{GHOST}/blobs/uploads/?digest={wrong}");
        house.ask("POST", &at_once, &[], content).await.expect(400, "DIGEST_INVALID");
        assert_unknown(&tags(&house).await);
    }
    let config = json!({ "mediaType": "application/x.test", "digest": wrong, "size": 2 });
    let manifest = crate::house::image(&[&config], None);
    house.put_manifest(GHOST, "1", &manifest).await.expect(400, "MANIFEST_BLOB_UNKNOWN");
    assert_unknown(&tags(&house).await);
    let referrers = house.get(&format!("/v2/{GHOST}/referrers/{wrong}")).await;
    assert_eq!((referrers.status, &referrers.json()["manifests"]), (200, &json!([])));
}

/// Whatever the session has in storage by then, the same close may be sent again with what is right.
#[tokio::test]
async fn a_last_chunk_of_other_content_leaves_the_session_as_it_was() {
    let house = House::open().await;
    for size in [10, 100_000, LARGE, 3 * LARGE] {
        let content: Vec<u8> = (0..251).cycle().take(size).collect();
        let (half, right) = (size / 2, Digest::sha256(&content));
        let location = begin(&house, &content[..half]).await;
        let mut other = content.clone();
        other[size - 1] ^= 1;
        let actual = Digest::sha256(&other);
        for wrong in [right, Digest::of(Algorithm::Sha512, &content)] {
            let close = with(&location, &format!("digest={wrong}"));
            let refused = house.ask("PUT", &close, &[], other[half..].to_vec()).await;
            refused.expect(400, "DIGEST_INVALID");
            for digest in [wrong, actual, Digest::of(Algorithm::Sha512, &other)] {
                let blob = house.head(&format!("/v2/{GHOST}/blobs/{digest}")).await;
                assert_eq!(blob.status, 404, "{size} {digest}");
            }
            let status = house.get(&location).await;
            let range = format!("0-{}", half - 1);
            assert_eq!((status.status, status.header("range")), (204, range.as_str()), "{size}");
        }
        let close = with(&location, &format!("digest={right}"));
        assert_eq!(house.ask("PUT", &close, &[], content[half..].to_vec()).await.status, 201, "{size}");
        assert!(house.get(&format!("/v2/{GHOST}/blobs/{right}")).await.bytes() == &content);
    }
}

#[tokio::test]
async fn a_session_goes_on_in_the_repository_that_it_makes() {
    let house = House::open().await;
    for size in [10, 100_000, LARGE] {
        let content = vec![b'x'; size];
        let location = begin(&house, &content).await;
        let digest = Digest::sha256(&content);
        let close = with(&location, &format!("digest={digest}"));
        for _ in 0..2 {
            assert_eq!(house.ask("PUT", &close, &[], Body::empty()).await.status, 201, "again too");
        }
        assert!(house.get(&format!("/v2/{GHOST}/blobs/{digest}")).await.bytes() == &content);
    }
}

/// As soon as something can be pulled from it, it is known; the catalog has it with its first manifest.
#[tokio::test]
async fn a_repository_with_a_blob_only_has_no_tags() {
    let house = House::open().await;
    house.push_blob(GHOST, b"layer").await;
    let answer = tags(&house).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "name": GHOST, "tags": [] })));
    let catalog = async || house.get("/v2/_catalog").await.json()["repositories"].clone();
    assert_eq!(catalog().await, Value::Array(Vec::new()));
    house.push_image(GHOST, "1", "layer").await;
    assert_eq!(catalog().await, json!([GHOST]));
    assert_eq!(tags(&house).await.json()["tags"], json!(["1"]));
}
