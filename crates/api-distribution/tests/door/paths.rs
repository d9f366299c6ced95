//! Paths that name nothing, or name it wrongly.

use axum::body::Body;
use berth_oci::Digest;

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

/// Whoever undid escapes or dots before looking would find something behind every one of these.
#[tokio::test]
async fn escapes_and_dots_lead_nowhere() {
    let house = House::open().await;
    house.push_image("library/x", "1", "layer").await;
    let layer = Digest::sha256(b"layer");
    let hex = layer.to_string().replace("sha256:", "");
    for (path, status, code) in [
        ("/v2%2f_catalog", 404, "UNSUPPORTED"),
        ("/v2/_catalog%2f", 404, "UNSUPPORTED"),
        ("/v2/%5fcatalog", 404, "UNSUPPORTED"),
        ("/v2/%2e/_catalog", 404, "UNSUPPORTED"),
        ("/v2/./_catalog", 404, "UNSUPPORTED"),
        ("/v2/../v2/_catalog", 404, "UNSUPPORTED"),
        ("/v2/_oci/ext/%64iscover", 404, "UNSUPPORTED"),
        ("/v2/%2e%2e/x/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/../x/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/y/../x/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/y/%2e%2e/x/tags/list", 400, "NAME_INVALID"),
        ("/v2/library%2fx/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/%78/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/x%2ftags/list", 404, "UNSUPPORTED"),
        ("/v2/library/x/tags%2flist", 404, "UNSUPPORTED"),
        ("/v2/library/x/tags/%6cist", 404, "UNSUPPORTED"),
        ("/v2/library/x/tags/list%2f", 404, "UNSUPPORTED"),
        ("/v2/library/x/tags/./list", 404, "UNSUPPORTED"),
        ("/v2/library/x/blobs/%2e%2e", 400, "DIGEST_INVALID"),
        ("/v2/library/x/blobs/%2e%2e/tags/list", 400, "NAME_INVALID"),
        ("/v2/library/x/blobs%2fsha256:HEX", 404, "UNSUPPORTED"),
        ("/v2/library/x/blobs/./sha256:HEX", 404, "UNSUPPORTED"),
        ("/v2/library/x/blobs/sha256%253aHEX", 400, "DIGEST_INVALID"),
        ("/v2/library/x/blobs/%73ha256:HEX", 400, "DIGEST_INVALID"),
        ("/v2/library/x/blobs/uploads/%2e%2e", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("/v2/library/x/blobs/uploads/..", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("/v2/library/x/blobs/uploads/%2e%2e/sha256:HEX", 404, "UNSUPPORTED"),
        ("/v2/library/x/blobs/uploads%2f", 400, "DIGEST_INVALID"),
        ("/v2/library/x/blobs%2fuploads/", 404, "UNSUPPORTED"),
        ("/v2/library/x/manifests/%31", 400, "TAG_INVALID"),
        ("/v2/library/x/manifests/%2e%2e", 400, "TAG_INVALID"),
        ("/v2/library/x/manifests%2f1", 404, "UNSUPPORTED"),
        ("/v2/library/x/manifests/./1", 404, "UNSUPPORTED"),
        ("/v2/library/x/referrers/%2e%2e", 400, "DIGEST_INVALID"),
        ("/v2/library/x/referrers%2fsha256:HEX", 404, "UNSUPPORTED"),
    ] {
        let path = path.replace("HEX", &hex);
        let upper = path.replace("%2e", "%2E").replace("%2f", "%2F").replace("%253a", "%253A");
        for path in [&path, &upper, &path.replace('%', "%25")] {
            for method in ["GET", "PUT", "DELETE"] {
                let answer = house.ask(method, path, &[], Body::empty()).await;
                assert_eq!((answer.status, answer.codes()), (status, vec![code.to_owned()]), "{path}");
            }
        }
    }
    assert_eq!(house.get(&format!("/v2/library/x/blobs/{layer}")).await.status, 200);
    assert_eq!(house.get("/v2/library/x/manifests/1").await.status, 200);
}

#[tokio::test]
async fn an_escaped_colon_is_a_colon() {
    let house = House::open().await;
    let digest = house.push_blob("a/b", b"x").await.to_string().replace(':', "%3A");
    assert_eq!(house.ask("GET", &format!("/v2/a/b/blobs/{digest}"), &[], Body::empty()).await.status, 200);
}
