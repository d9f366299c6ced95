//! Paths that name nothing, or name it wrongly.

use axum::body::Body;

use crate::house::House;

#[tokio::test]
async fn every_wrong_path_has_its_code() {
    let house = House::open().await;
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (path, status, code) in [
        ("/", 404, "UNSUPPORTED"),
        ("/v2//", 404, "UNSUPPORTED"),
        ("/v2/x", 404, "UNSUPPORTED"),
        ("/v2/../../etc/passwd", 404, "UNSUPPORTED"),
        ("/v2/%2e%2e/%2e%2e/etc/passwd", 404, "UNSUPPORTED"),
        ("/v2/a/b/tags/list/", 404, "UNSUPPORTED"),
        ("/v2/a/b/manifests/latest/", 404, "UNSUPPORTED"),
        ("/v2/a/b/manifests%2flatest", 404, "UNSUPPORTED"),
        ("/v2/one/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a//b/manifests/latest", 400, "NAME_INVALID"),
        ("/v2//a/b/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a/../b/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a%2fb/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a/b%2Fc/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a/%2e%2e/b/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/A/b/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a/hell%6F/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a__b/c/manifests/latest", 400, "NAME_INVALID"),
        ("/v2/a/b/manifests/.hidden", 400, "TAG_INVALID"),
        ("/v2/a/b/manifests/%2e%2e", 400, "TAG_INVALID"),
        ("/v2/a/b/manifests/la%2ftest", 400, "TAG_INVALID"),
        ("/v2/a/b/manifests/sha256:x", 400, "DIGEST_INVALID"),
        ("/v2/a/b/manifests/sha384:00", 400, "DIGEST_INVALID"),
        ("/v2/a/b/blobs/sha256:baddigeststring", 400, "DIGEST_INVALID"),
        ("/v2/a/b/blobs/latest", 400, "DIGEST_INVALID"),
        ("/v2/a/b/referrers/latest", 400, "DIGEST_INVALID"),
        ("/v2/a/b/blobs/uploads/not-an-id", 404, "BLOB_UPLOAD_UNKNOWN"),
    ] {
        house.get(path).await.expect(status, code);
    }
    let upper = digest.to_uppercase().replace("SHA", "sha");
    house.get(&format!("/v2/a/b/blobs/{upper}")).await.expect(400, "DIGEST_INVALID");
    let hint = house.get("/v2/hello/manifests/latest").await;
    assert!(hint.text().contains("library/hello"), "{hint:?}");
    insta::assert_snapshot!("one_component", hint.text());
    let tag = "t".repeat(129);
    house.get(&format!("/v2/a/b/manifests/{tag}")).await.expect(400, "TAG_INVALID");
    let name = "n".repeat(256);
    house.get(&format!("/v2/a/{name}/tags/list")).await.expect(400, "NAME_INVALID");
}

#[tokio::test]
async fn an_escaped_colon_is_a_colon() {
    let house = House::open().await;
    let digest = house.push_blob("a/b", b"x").await.to_string().replace(':', "%3A");
    assert_eq!(house.ask("GET", &format!("/v2/a/b/blobs/{digest}"), &[], Body::empty()).await.status, 200);
}
