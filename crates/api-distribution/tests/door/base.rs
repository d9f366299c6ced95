//! `/v2/` and the extensions.

use axum::body::Body;

use crate::house::House;

#[tokio::test]
async fn says_that_it_speaks_the_api() {
    let house = House::open().await;
    for path in ["/v2", "/v2/"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.text()), (200, "{}"));
        assert_eq!(answer.header("content-type"), "application/json");
        let answer = house.head(path).await;
        assert_eq!((answer.status, answer.header("content-length")), (200, "2"));
    }
    let answer = house.ask("GET", "/v2/", &[("x-request-id", "mine-1")], Body::empty()).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
}

#[tokio::test]
async fn says_what_else_there_is() {
    let house = House::open().await;
    let answer = house.get("/v2/_oci/ext/discover").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    insta::assert_snapshot!("extensions", answer.text());
    house.get("/v2/library/none/_oci/ext/discover").await.expect(404, "NAME_UNKNOWN");
    house.push_image("library/some", "1", "layer").await;
    assert_eq!(house.get("/v2/library/some/_oci/ext/discover").await.status, 200);
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let house = House::open().await;
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (path, allow) in [
        ("/v2/".to_owned(), "GET, HEAD"),
        ("/v2/_catalog".to_owned(), "GET, HEAD"),
        ("/v2/_oci/ext/discover".to_owned(), "GET, HEAD"),
        ("/v2/a/b/_oci/ext/discover".to_owned(), "GET, HEAD"),
        ("/v2/a/b/tags/list".to_owned(), "GET, HEAD"),
        (format!("/v2/a/b/referrers/{digest}"), "GET, HEAD"),
        (format!("/v2/a/b/blobs/{digest}"), "GET, HEAD, DELETE"),
        ("/v2/a/b/blobs/uploads/".to_owned(), "POST"),
        (
            "/v2/a/b/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
            "GET, HEAD, PATCH, PUT, DELETE",
        ),
        ("/v2/a/b/manifests/latest".to_owned(), "GET, HEAD, PUT, DELETE"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let answer = house.ask(method, &path, &[], Body::empty()).await;
            let allowed = allow.split(", ").any(|allowed| allowed == method);
            assert_eq!(answer.status == 405, !allowed, "{method} {path}: {answer:?}");
            if answer.status == 405 {
                assert_eq!(answer.header("allow"), allow, "{method} {path}");
            }
        }
    }
}
