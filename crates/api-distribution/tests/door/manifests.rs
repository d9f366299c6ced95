//! Manifests: pushed, pulled bit for bit, deleted; and what is no manifest.

use axum::body::Body;
use berth_metadata::CatalogScope;
use berth_oci::{Algorithm, Digest};
use berth_registry::MissingContent;
use berth_testkit::random_bytes;
use serde_json::{Value, json};

use crate::house::{DOCKER_MANIFEST, House, OCI_INDEX, OCI_MANIFEST, Wishes, image};

const REPOSITORY: &str = "library/manifests";

fn path(reference: impl std::fmt::Display) -> String {
    format!("/v2/{REPOSITORY}/manifests/{reference}")
}

#[tokio::test]
async fn come_back_as_they_were_pushed() {
    let house = House::open().await;
    let (config, layer) = (house.config(REPOSITORY).await, house.layer(REPOSITORY, "layer").await);
    // Odd spacing and unknown fields must survive.
    let manifest = image(&[&config, &layer], None).replacen('{', "{ \"x\" :\t1,\n", 1);
    let digest = Digest::sha256(manifest.as_bytes());
    let put = house.put_manifest(REPOSITORY, "v1", &manifest).await;
    assert_eq!(put.status, 201);
    assert_eq!(put.header("location"), path(digest));
    assert_eq!(put.header("docker-content-digest"), digest.to_string());
    assert_eq!(put.header("etag"), format!("\"{digest}\""));
    assert_eq!(put.header("content-length"), "0");
    assert!(!put.has("oci-subject") && !put.has("oci-tag"));
    for reference in ["v1".to_owned(), digest.to_string()] {
        let (got, head) = (house.get(&path(&reference)).await, house.head(&path(&reference)).await);
        assert_eq!((got.status, got.text()), (200, manifest.as_str()));
        assert_eq!(head.status, 200);
        for answer in [&got, &head] {
            assert_eq!(answer.header("content-type"), OCI_MANIFEST);
            assert_eq!(answer.header("content-length"), manifest.len().to_string());
            assert_eq!(answer.header("docker-content-digest"), digest.to_string());
            assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        }
        let known = format!("\"{digest}\"");
        let again = house.ask("GET", &path(&reference), &[("if-none-match", &known)], Body::empty()).await;
        assert_eq!(again.status, 304);
    }
}

#[tokio::test]
async fn what_is_no_image_comes_back_as_it_was_pushed() {
    let house = House::open().await;
    let weights = random_bytes(7, 300_000);
    for (tag, artifact_type, config_type, layer_type, layer) in [
        (
            "wasm",
            None,
            "application/vnd.wasm.config.v0+json",
            "application/wasm",
            b"\0asm\x01\0\0\0".as_slice(),
        ),
        (
            "model",
            Some("application/vnd.cncf.model.manifest.v1+json"),
            "application/vnd.cncf.model.config.v1+json",
            "application/vnd.cncf.model.weight.v1.raw",
            &weights,
        ),
    ] {
        let config = format!("{{\n  \"of\": \"{tag}\"\n}}").into_bytes();
        let described = async |media_type: &str, content: &[u8]| {
            let digest = house.push_blob(REPOSITORY, content).await;
            json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
        };
        let mut manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST });
        manifest["config"] = described(config_type, &config).await;
        manifest["layers"] = json!([described(layer_type, layer).await]);
        if let Some(artifact_type) = artifact_type {
            manifest["artifactType"] = json!(artifact_type);
        }
        let manifest = format!("{manifest:#}\n");
        assert_eq!(house.put_manifest(REPOSITORY, tag, &manifest).await.status, 201, "{tag}");
        for reference in [tag.to_owned(), Digest::sha256(manifest.as_bytes()).to_string()] {
            let got = house.get(&path(&reference)).await;
            assert_eq!((got.status, got.text()), (200, manifest.as_str()));
            assert_eq!(got.header("content-type"), OCI_MANIFEST);
        }
        for content in [&config[..], layer] {
            let blob = house.get(&format!("/v2/{REPOSITORY}/blobs/{}", Digest::sha256(content))).await;
            assert!(blob.status == 200 && blob.bytes() == content, "{tag}");
        }
    }
}

/// By its media type, signed or not, and by what it says of itself.
#[tokio::test]
async fn dockers_first_format_is_refused() {
    let house = House::open().await;
    house.push_image(REPOSITORY, "here", "layer").await;
    let said = |version: u32| {
        json!({
            "schemaVersion": version, "name": REPOSITORY, "tag": "old", "architecture": "amd64",
            "fsLayers": [], "history": [], "signatures": [{ "signature": "c2lnbmVk", "protected": "e30" }],
        })
        .to_string()
    };
    for (media_type, version) in [
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", 1),
        ("application/vnd.docker.distribution.manifest.v1+prettyjws", 2),
        ("application/vnd.docker.distribution.manifest.v1+json", 1),
        ("application/vnd.docker.distribution.manifest.v1+json", 2),
        (OCI_MANIFEST, 1),
        ("application/json", 1),
    ] {
        let fields = [("content-type", media_type)];
        let refused = house.ask("PUT", &path("old"), &fields, said(version)).await;
        refused.expect(400, "MANIFEST_INVALID");
        assert!(refused.text().contains("schema 1 is not supported"), "{media_type}: {}", refused.text());
        assert_eq!(house.head(&path("old")).await.status, 404);
        assert_eq!(house.head(&path(Digest::sha256(said(version).as_bytes()))).await.status, 404);
    }
}

#[tokio::test]
async fn by_digest_with_tags() {
    let house = House::open().await;
    let manifest = image(&[&house.config(REPOSITORY).await, &house.layer(REPOSITORY, "l").await], None);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, manifest.as_bytes());
        let tags: Vec<String> = (0..12).map(|number| format!("{algorithm}-{number}")).collect();
        let query: Vec<String> = tags.iter().chain(tags.first()).map(|tag| format!("tag={tag}")).collect();
        let put = format!("{}?{}", path(digest), query.join("&"));
        let headers = [("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8")];
        let answer = house.ask("PUT", &put, &headers, manifest.clone()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let said: Vec<_> =
            answer.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().expect("text")).collect();
        assert_eq!(said, tags);
        for tag in &tags {
            let got = house.get(&path(tag)).await;
            assert_eq!(got.header("docker-content-digest"), digest.to_string());
            assert_eq!(got.header("content-type"), OCI_MANIFEST, "parameters are no part of the type");
        }
    }
    let other = path(Digest::sha256(b"other"));
    house
        .ask("PUT", &other, &[("content-type", OCI_MANIFEST)], manifest.clone())
        .await
        .expect(400, "DIGEST_INVALID");
    let digest = Digest::sha256(manifest.as_bytes());
    let bad = format!("{}?tag=ok&tag=.bad", path(digest));
    house
        .ask("PUT", &bad, &[("content-type", OCI_MANIFEST)], manifest.clone())
        .await
        .expect(400, "TAG_INVALID");
    assert_eq!(house.get(&path("ok")).await.status, 404);
    let many: Vec<String> = (0..101).map(|number| format!("tag=t{number}")).collect();
    let many = format!("{}?{}", path(digest), many.join("&"));
    house.ask("PUT", &many, &[("content-type", OCI_MANIFEST)], manifest).await.expect(414, "UNSUPPORTED");
}

#[tokio::test]
async fn subjects_are_seen_before_they_exist() {
    let house = House::open().await;
    let subject = Digest::sha256(b"to come");
    let descriptor = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 7 });
    let manifest = image(&[&house.config(REPOSITORY).await], Some(&descriptor));
    let put = house.put_manifest(REPOSITORY, "referrer", &manifest).await;
    assert_eq!(put.status, 201);
    assert_eq!(put.header("oci-subject"), subject.to_string());
}

/// How often the manifests of the repository were pulled.
async fn pulls(house: &House) -> u64 {
    house.registry.flush_pulls().await.expect("they are written");
    let found = house.metadata.find_repositories(&CatalogScope::All, REPOSITORY, None, 1).await;
    found.expect("an answer")[0].pulls
}

#[tokio::test]
async fn a_pull_is_counted_when_the_manifest_is_sent() {
    let house = House::open().await;
    let manifest = house.push_image(REPOSITORY, "1", "layer").await;
    let tag = format!("\"{}\"", Digest::sha256(manifest.as_bytes()));
    for (method, fields, status) in [
        ("HEAD", &[][..], 200),
        ("GET", &[("if-none-match", tag.as_str())], 304),
        ("GET", &[("if-match", "\"sha256:0\"")], 412),
        ("GET", &[("accept", OCI_INDEX)], 404),
    ] {
        assert_eq!(house.ask(method, &path("1"), fields, Body::empty()).await.status, status, "{fields:?}");
        assert_eq!(pulls(&house).await, 0, "{fields:?}");
    }
    assert_eq!(house.get(&path("1")).await.status, 200);
    assert_eq!(pulls(&house).await, 1);
}

#[tokio::test]
async fn accept_decides_but_never_converts() {
    let house = House::open().await;
    let manifest = house.push_image(REPOSITORY, "oci", "layer").await;
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }).to_string();
    let put = house.ask("PUT", &path("index"), &[("content-type", OCI_INDEX)], index.clone()).await;
    assert_eq!(put.status, 201, "{put:?}");
    for accept in [
        "*/*",
        "application/*",
        "text/html, */*;q=0.8",
        OCI_MANIFEST,
        "application/x, application/vnd.oci.image.manifest.v1+json;q=0.1",
    ] {
        let answer = house.ask("GET", &path("oci"), &[("accept", accept)], Body::empty()).await;
        assert_eq!((answer.status, answer.text()), (200, manifest.as_str()), "{accept}");
    }
    let both = [("accept", DOCKER_MANIFEST), ("accept", OCI_INDEX)];
    assert_eq!(house.ask("GET", &path("index"), &both, Body::empty()).await.text(), index);
    let refused = house.ask("GET", &path("index"), &[("accept", DOCKER_MANIFEST)], Body::empty()).await;
    refused.expect(404, "MANIFEST_UNKNOWN");
    insta::assert_snapshot!("not_accepted", refused.text());
    let refused = house.ask("HEAD", &path("index"), &[("accept", DOCKER_MANIFEST)], Body::empty()).await;
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn what_is_not_there() {
    let house = House::open().await;
    house.get("/v2/library/none/manifests/latest").await.expect(404, "NAME_UNKNOWN");
    house.push_image(REPOSITORY, "here", "layer").await;
    let answer = house.get(&path("gone")).await;
    answer.expect(404, "MANIFEST_UNKNOWN");
    insta::assert_snapshot!("manifest_unknown", answer.text());
    house.get(&path(Digest::sha256(b"gone"))).await.expect(404, "MANIFEST_UNKNOWN");
    house.delete(&path("gone")).await.expect(404, "MANIFEST_UNKNOWN");
    house.delete(&path(Digest::sha256(b"gone"))).await.expect(404, "MANIFEST_UNKNOWN");
    house.delete("/v2/library/none/manifests/latest").await.expect(404, "NAME_UNKNOWN");
}

#[tokio::test]
async fn what_is_no_manifest() {
    let house = House::open().await;
    let (config, layer) = (house.config(REPOSITORY).await, house.layer(REPOSITORY, "layer").await);
    let good = image(&[&config, &layer], None);
    let short = {
        let mut layer = layer.clone();
        layer["size"] = json!(1);
        layer
    };
    let lacking = json!({ "mediaType": OCI_MANIFEST, "digest": Digest::sha256(b"x"), "size": -1 });
    for (bad, media_type, status, code) in [
        (String::new(), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        ("not JSON".to_owned(), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        ("[]".to_owned(), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        ("{}".to_owned(), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (format!("{}{}", "[".repeat(5000), "]".repeat(5000)), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (good.replacen('{', "{\"layers\":[],", 1), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (good.clone(), OCI_INDEX, 400, "MANIFEST_INVALID"),
        (good.clone(), "nonsense", 400, "MANIFEST_INVALID"),
        (image(&[&config, &short], None), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (image(&[&config, &lacking], None), OCI_MANIFEST, 400, "MANIFEST_INVALID"),
        (
            json!({ "schemaVersion": 1 }).to_string(),
            "application/vnd.docker.distribution.manifest.v1+json",
            400,
            "MANIFEST_INVALID",
        ),
        (format!("{{\"x\":\"{}\"}}", "y".repeat(64 << 10)), OCI_MANIFEST, 413, "SIZE_INVALID"),
    ] {
        let answer = house.ask("PUT", &path("bad"), &[("content-type", media_type)], bad.clone()).await;
        answer.expect(status, code);
        let bytes = bad.into_bytes();
        let streamed = Body::from_stream(futures::stream::iter([Ok::<_, std::io::Error>(bytes)]));
        house.ask("PUT", &path("bad"), &[("content-type", media_type)], streamed).await.expect(status, code);
    }
    assert_eq!(house.get(&path("bad")).await.status, 404);
    assert_eq!(house.put_manifest(REPOSITORY, "good", &good).await.status, 201);
}

#[tokio::test]
async fn each_missing_digest_is_named() {
    let house = House::open().await;
    let missing = |content: &[u8]| {
        let media_type = "application/vnd.oci.image.layer.v1.tar";
        json!({ "mediaType": media_type, "digest": Digest::sha256(content), "size": content.len() })
    };
    let (config, layer) = (missing(b"config"), missing(b"layer"));
    let manifest = image(&[&config, &layer], None);
    let answer = house.put_manifest(REPOSITORY, "sparse", &manifest).await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["MANIFEST_BLOB_UNKNOWN".to_owned(); 2]));
    insta::assert_snapshot!("manifest_blob_unknown", answer.text());
    assert_eq!(house.get(&path("sparse")).await.status, 404);
    let lenient = House::with(Wishes { missing_content: MissingContent::Any, ..Wishes::default() }).await;
    assert_eq!(lenient.put_manifest(REPOSITORY, "sparse", &manifest).await.status, 201);
}

#[tokio::test]
async fn deleting_a_tag_leaves_the_manifest_and_deleting_the_manifest_takes_its_tags() {
    let house = House::open().await;
    let manifest = house.push_image(REPOSITORY, "one", "layer").await;
    let digest = Digest::sha256(manifest.as_bytes());
    assert_eq!(house.put_manifest(REPOSITORY, "two", &manifest).await.status, 201);
    let deleted = house.delete(&path("one")).await;
    assert_eq!((deleted.status, deleted.header("content-length")), (202, "0"));
    assert_eq!(house.head(&path("one")).await.status, 404);
    assert_eq!(house.head(&path(digest)).await.status, 200);
    assert_eq!(house.head(&path("two")).await.status, 200);
    assert_eq!(house.delete(&path(digest)).await.status, 202);
    assert_eq!(house.head(&path("two")).await.status, 404);
    assert_eq!(house.head(&path(digest)).await.status, 404);
    let tags = house.get(&format!("/v2/{REPOSITORY}/tags/list")).await.json();
    assert_eq!(tags["tags"], Value::Array(vec![]));
}
