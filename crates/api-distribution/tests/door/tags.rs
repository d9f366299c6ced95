//! Tags change only on the conditions that the client sets.

use axum::body::Body;
use berth_oci::Digest;

use crate::house::{Answer, House, OCI_MANIFEST, image};

const REPOSITORY: &str = "library/promoted";

/// Two manifests that can be tagged.
async fn manifests(house: &House) -> [(String, String); 2] {
    let config = house.config(REPOSITORY).await;
    let mut made = Vec::new();
    for seed in ["one", "two"] {
        let manifest = image(&[&config, &house.layer(REPOSITORY, seed).await], None);
        let digest = Digest::sha256(manifest.as_bytes()).to_string();
        made.push((manifest, digest));
    }
    made.try_into().expect("two")
}

async fn put(house: &House, reference: &str, condition: (&str, &str), manifest: &str) -> Answer {
    let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
    house.ask("PUT", &path, &[("content-type", OCI_MANIFEST), condition], manifest.to_owned()).await
}

#[tokio::test]
async fn compare_and_swap() {
    let house = House::open().await;
    let [(one, first), (two, second)] = manifests(&house).await;
    let refused = put(&house, "prod", ("if-match", "*"), &one).await;
    refused.expect(412, "PRECONDITION_FAILED");
    assert!(!refused.has("etag"));
    assert_eq!(put(&house, "prod", ("if-none-match", "*"), &one).await.status, 201);
    let refused = put(&house, "prod", ("if-none-match", "*"), &two).await;
    refused.expect(412, "PRECONDITION_FAILED");
    assert_eq!(refused.header("etag"), format!("\"{first}\""));
    insta::assert_snapshot!("precondition", refused.text());
    put(&house, "prod", ("if-match", &second), &two).await.expect(412, "PRECONDITION_FAILED");
    // Repeated because its answer was lost: what is wanted is so.
    assert_eq!(put(&house, "prod", ("if-match", &second), &one).await.status, 201);
    assert_eq!(put(&house, "prod", ("if-match", &format!("\"{first}\"")), &two).await.status, 201);
    assert_eq!(put(&house, "prod", ("if-match", &second), &one).await.status, 201);
    let head = house.head(&format!("/v2/{REPOSITORY}/manifests/prod")).await;
    assert_eq!(head.header("docker-content-digest"), first);
}

#[tokio::test]
async fn delete_on_a_condition() {
    let house = House::open().await;
    let [(one, first), (_, second)] = manifests(&house).await;
    assert_eq!(put(&house, "prod", ("accept", "*/*"), &one).await.status, 201);
    let path = format!("/v2/{REPOSITORY}/manifests/prod");
    let delete = |value: String| {
        let (house, path) = (&house, &path);
        async move { house.ask("DELETE", path, &[("if-match", &value)], Body::empty()).await }
    };
    delete(second).await.expect(412, "PRECONDITION_FAILED");
    assert_eq!(delete(format!("\"{first}\"")).await.status, 202);
    assert_eq!(house.head(&path).await.status, 404);
}

#[tokio::test]
async fn conditions_that_would_be_ignored_are_refused() {
    let house = House::open().await;
    let [(one, first), _] = manifests(&house).await;
    for (reference, condition, words) in [
        (first.clone(), ("if-match", "*"), "put the condition on a tag"),
        (format!("{first}?tag=a"), ("if-none-match", "*"), "leave ?tag= out"),
        ("tag?tag=a".to_owned(), ("if-match", first.as_str()), "leave ?tag= out"),
        ("tag".to_owned(), ("if-none-match", first.as_str()), "takes only * here"),
    ] {
        let refused = put(&house, &reference, condition, &one).await;
        refused.expect(400, "UNSUPPORTED");
        assert!(refused.text().contains(words), "{}", refused.text());
    }
    let path = format!("/v2/{REPOSITORY}/manifests/{first}");
    house.ask("DELETE", &path, &[("if-match", &first)], Body::empty()).await.expect(400, "UNSUPPORTED");
    let both = [("if-match", "*"), ("if-none-match", "*")];
    let refused = house.ask("DELETE", &path, &both, Body::empty()).await;
    refused.expect(400, "UNSUPPORTED");
    assert!(refused.text().contains("not both"), "{}", refused.text());
}
