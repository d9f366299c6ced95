//! Tags, repositories and referrers, in pages.

use axum::body::Body;
use berth_domain::{Actor, Clock as _, SystemClock};
use berth_metadata::{AddedManifest, Expected, NewManifest};
use berth_oci::{Digest, Manifest, RepositoryName};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::house::{Answer, House, OCI_INDEX, OCI_MANIFEST, Wishes, image};

const REPOSITORY: &str = "library/lists";

/// The path of the next page, if the answer names one.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.has("link").then(|| answer.header("link"))?;
    let path = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(path.expect("a link to the next page").to_owned())
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|entry| entry.as_str().expect("text")).collect()
}

/// Follows the links from `path` and gathers `field`.
async fn walk(house: &House, path: &str, field: &str) -> (Vec<String>, usize) {
    let (mut path, mut found, mut pages) = (Some(path.to_owned()), Vec::new(), 0);
    while let Some(page) = path {
        let answer = house.get(&page).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        found.extend(strings(&answer.json()[field]).into_iter().map(ToOwned::to_owned));
        path = next(&answer);
        pages += 1;
        assert!(pages < 20, "pages come to an end");
    }
    (found, pages)
}

#[tokio::test]
async fn tags_in_pages() {
    let house = House::open().await;
    let list = format!("/v2/{REPOSITORY}/tags/list");
    house.get(&list).await.expect(404, "NAME_UNKNOWN");
    house.get(&format!("{list}?n=0")).await.expect(404, "NAME_UNKNOWN");
    let manifest = house.push_image(REPOSITORY, "Z", "layer").await;
    for tag in ["a", "b", "c.1", "_x"] {
        assert_eq!(house.put_manifest(REPOSITORY, tag, &manifest).await.status, 201);
    }
    let sorted = ["Z", "_x", "a", "b", "c.1"];
    let all = house.get(&list).await;
    assert_eq!(all.header("content-type"), "application/json");
    assert_eq!(all.json(), json!({ "name": REPOSITORY, "tags": sorted }));
    assert!(!all.has("link"));
    for n in 1..=6 {
        let (tags, pages) = walk(&house, &format!("{list}?n={n}"), "tags").await;
        assert_eq!((tags, pages), (sorted.map(ToOwned::to_owned).to_vec(), 5_usize.div_ceil(n)), "n={n}");
    }
    let none = house.get(&format!("{list}?n=0")).await;
    assert_eq!(none.json()["tags"], json!([]));
    assert!(!none.has("link"));
    for (query, expected) in [
        ("last=a", &sorted[3..]),
        ("last=aa&n=1", &sorted[3..4]),
        ("last=zzz", &[]),
        ("n=99999999999999999999", &sorted[..]),
    ] {
        let answer = house.get(&format!("{list}?{query}")).await;
        assert_eq!(strings(&answer.json()["tags"]), expected, "{query}");
    }
    for bad in ["-1", "x", "", "1.5"] {
        house.get(&format!("{list}?n={bad}")).await.expect(400, "PAGINATION_NUMBER_INVALID");
    }
    let head = house.head(&list).await;
    assert_eq!(head.header("content-length"), all.bytes().len().to_string());
}

/// Points more tags at the manifest of a tag, all in one transaction.
async fn tag_in_one_go(house: &House, manifest: &str, tags: impl Iterator<Item = String>) {
    let name: RepositoryName = REPOSITORY.parse().expect("a name");
    let digest = Digest::sha256(manifest.as_bytes());
    let repository = house.metadata.repository(&name).await.expect("an answer").expect("it was pushed to");
    let mut tx = house.metadata.begin().await.expect("a transaction");
    for tag in tags {
        let tag = tag.parse().expect("a tag");
        let moved = tx
            .point_tag(&repository, &tag, &digest, &Expected::Anything, &Actor::system(), SystemClock.now())
            .await;
        moved.expect("an answer");
    }
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn ten_thousand_tags_come_at_once_and_the_rest_by_a_link() {
    let house = House::open().await;
    let manifest = house.push_image(REPOSITORY, "t00000", "layer").await;
    tag_in_one_go(&house, &manifest, (1..=10_000).map(|number| format!("t{number:05}"))).await;
    let first = house.get(&format!("/v2/{REPOSITORY}/tags/list")).await;
    let tags = first.json();
    let tags = strings(&tags["tags"]);
    assert_eq!((tags.len(), tags[0], tags[9_999]), (10_000, "t00000", "t09999"));
    let rest = house.get(&next(&first).expect("a link to the rest")).await;
    assert_eq!(rest.json()["tags"], json!(["t10000"]));
    assert!(!rest.has("link"));
}

#[tokio::test]
async fn large_pages_have_a_budget_until_they_were_sent_and_small_ones_wait_for_nobody() {
    let house = House::open().await;
    let manifest = house.push_image(REPOSITORY, "t00000", "layer").await;
    tag_in_one_go(&house, &manifest, (1..10_000).map(|number| format!("t{number:05}"))).await;
    house.push_image("library/short", "1", "layer").await;
    let (long, short) = (format!("/v2/{REPOSITORY}/tags/list"), "/v2/library/short/tags/list");
    // Strangers who ask and take nothing.
    let mut untaken = Vec::new();
    loop {
        let answer = house.begin_get(&long).await;
        if answer.status() != 200 {
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["retry-after"]),
                (503, &"5".parse().unwrap())
            );
            break;
        }
        untaken.push(answer);
        assert!(untaken.len() < 100, "they hold more than there is");
    }
    // Ninety thousand bytes each.
    assert!(untaken.len() > 20 && house.lists.in_use() > untaken.len() * 90_000, "{}", untaken.len());
    for path in [short, &format!("{long}?n=100"), "/v2/_catalog"] {
        assert_eq!(house.get(path).await.status, 200, "{path}");
    }
    let held = house.lists.in_use();
    let mut waiting = Box::pin(house.get(&long));
    assert!(futures::poll!(&mut waiting).is_pending());
    untaken.truncate(1);
    assert_eq!(strings(&waiting.await.json()["tags"]).len(), 10_000);
    assert!(house.lists.in_use() < held);
    drop(untaken);
    house.head(&long).await;
    assert_eq!(house.lists.in_use(), 0);
}

#[tokio::test]
async fn repositories_in_pages() {
    let house = House::open().await;
    assert_eq!(house.get("/v2/_catalog").await.json(), json!({ "repositories": [] }));
    let names = ["a/b", "a/b-c", "a/b/c", "library/x", "z/z"];
    for name in names {
        house.push_image(name, "1", "layer").await;
    }
    assert_eq!(strings(&house.get("/v2/_catalog").await.json()["repositories"]), names);
    for n in 1..=6 {
        let (found, pages) = walk(&house, &format!("/v2/_catalog?n={n}"), "repositories").await;
        assert_eq!((found, pages), (names.map(ToOwned::to_owned).to_vec(), 5_usize.div_ceil(n)));
    }
    let after = house.get("/v2/_catalog?last=b/unknown").await;
    assert_eq!(strings(&after.json()["repositories"]), ["library/x", "z/z"]);
    let none = house.get("/v2/_catalog?n=0").await;
    assert_eq!(none.json(), json!({ "repositories": [] }));
    assert!(!none.has("link"));
    house.get("/v2/_catalog?n=-1").await.expect(400, "PAGINATION_NUMBER_INVALID");
}

/// An index of nothing that says something.
fn index(annotation: &str, subject: Option<&Value>) -> Bytes {
    let mut index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] });
    index["annotations"] = json!({ "said": annotation });
    if let Some(subject) = subject {
        index["artifactType"] = json!("application/vnd.example.sbom+json");
        index["subject"] = subject.clone();
    }
    index.to_string().into()
}

#[tokio::test]
async fn ten_thousand_repositories_come_at_once_and_the_rest_by_a_link() {
    let house = House::open().await;
    let content = index("the same everywhere", None);
    let manifest = Manifest::parse(&content, None).expect("a manifest");
    let new = NewManifest { digest: Digest::sha256(&content), content: &content, manifest: &manifest };
    let (by, at) = (Actor::system(), SystemClock.now());
    let mut tx = house.metadata.begin().await.expect("a transaction");
    let project = tx.find_project(&"library".parse().expect("a name")).await.expect("an answer");
    let project = project.expect("it is there from the start");
    for number in 0..=10_000 {
        let name = format!("library/r{number:05}").parse().expect("a name");
        let repository = tx.ensure_repository(&project, &name, &by, at).await.expect("a repository");
        let added = tx.add_manifest(&repository, &new, &by, at).await;
        assert_eq!(added.expect("an answer"), AddedManifest::Added);
    }
    tx.commit().await.expect("a commit");
    let first = house.get("/v2/_catalog").await;
    let names = first.json();
    let names = strings(&names["repositories"]);
    assert_eq!((names.len(), names[0], names[9_999]), (10_000, "library/r00000", "library/r09999"));
    let rest = house.get(&next(&first).expect("a link to the rest")).await;
    assert_eq!(rest.json(), json!({ "repositories": ["library/r10000"] }));
    assert!(!rest.has("link"));
}

/// Pushes an image for others to be about; its digest, and what they name it by.
async fn push_subject(house: &House) -> (Digest, Value) {
    let manifest = house.push_image(REPOSITORY, "1", "layer").await;
    let digest = Digest::sha256(manifest.as_bytes());
    (digest, json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": manifest.len() }))
}

/// Nobody gets more than one page by a large number, and none by one below zero.
#[tokio::test]
async fn numbers_that_no_page_has() {
    let house = House::open().await;
    let (digest, subject) = push_subject(&house).await;
    add_in_one_go(&house, &[index("about it", Some(&subject))]).await;
    let (catalog, tags) = ("/v2/_catalog".to_owned(), format!("/v2/{REPOSITORY}/tags/list"));
    let referrers = format!("/v2/{REPOSITORY}/referrers/{digest}");
    let far = format!("{}{}", u64::MAX, "9".repeat(20));
    for n in ["4294967296", &u64::MAX.to_string(), "18446744073709551616", &far] {
        for path in [&catalog, &tags, &referrers] {
            let answer = house.get(&format!("{path}?n={n}")).await;
            assert_eq!((answer.status, answer.json()), (200, house.get(path).await.json()), "{path} {n}");
            assert!(!answer.has("link"), "{path} {n}");
        }
    }
    let whole = house.get(&referrers).await.json();
    assert_eq!(whole["manifests"].as_array().map(Vec::len), Some(1));
    for n in ["-0", "-1", &i64::MIN.to_string(), &format!("-{far}")] {
        for path in [&catalog, &tags] {
            house.get(&format!("{path}?n={n}")).await.expect(400, "PAGINATION_NUMBER_INVALID");
        }
        // The distribution-spec gives referrers no such parameter.
        assert_eq!(house.get(&format!("{referrers}?n={n}")).await.json(), whole, "{n}");
    }
    for after in ["9223372036854775808", "-9223372036854775809", &far, "1.5"] {
        house.get(&format!("{referrers}?after={after}")).await.expect(400, "PAGINATION_NUMBER_INVALID");
    }
}

/// Keeps manifests, all in one transaction and in this order.
async fn add_in_one_go(house: &House, contents: &[Bytes]) {
    let name: RepositoryName = REPOSITORY.parse().expect("a name");
    let repository = house.metadata.repository(&name).await.expect("an answer").expect("it was pushed to");
    let mut tx = house.metadata.begin().await.expect("a transaction");
    for content in contents {
        let manifest = Manifest::parse(content, None).expect("a manifest");
        let new = NewManifest { digest: Digest::sha256(content), content, manifest: &manifest };
        let added = tx.add_manifest(&repository, &new, &Actor::system(), SystemClock.now()).await;
        assert_eq!(added.expect("an answer"), AddedManifest::Added);
    }
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn a_thousand_referrers_come_at_once_and_the_rest_by_a_link() {
    let house = House::open().await;
    let (digest, subject) = push_subject(&house).await;
    let referrers: Vec<Bytes> =
        (0..1_001).map(|number| index(&format!("number {number}"), Some(&subject))).collect();
    add_in_one_go(&house, &referrers).await;
    let pushed: Vec<Value> = referrers.iter().map(|content| json!(Digest::sha256(content))).collect();
    let listed = |page: &Answer| -> Vec<Value> {
        let page = page.json();
        let entries = page["manifests"].as_array().expect("a list");
        entries.iter().map(|entry| entry["digest"].clone()).collect()
    };
    let filter = "?artifactType=application%2Fvnd.example.sbom%2Bjson";
    for (query, is_filtered) in [("", false), (filter, true)] {
        let first = house.get(&format!("/v2/{REPOSITORY}/referrers/{digest}{query}")).await;
        assert_eq!(listed(&first), pushed[..1_000], "in the order in which they were pushed");
        let rest = house.get(&next(&first).expect("a link to the rest")).await;
        assert_eq!(listed(&rest), pushed[1_000..]);
        assert!(!rest.has("link"));
        for page in [&first, &rest] {
            assert_eq!(page.has("oci-filters-applied"), is_filtered);
        }
    }
}

#[tokio::test]
async fn referrers_are_never_unknown() {
    let house = House::open().await;
    let digest = Digest::sha256(b"never seen");
    let answer = house.get(&format!("/v2/library/never/referrers/{digest}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), OCI_INDEX);
    assert_eq!(answer.json(), json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }));
    house
        .get(&format!("/v2/library/never/referrers/{digest}?after=x"))
        .await
        .expect(400, "PAGINATION_NUMBER_INVALID");
}

#[tokio::test]
async fn referrers_by_type() {
    let house = House::open().await;
    let (digest, subject) = push_subject(&house).await;
    let config = house.config(REPOSITORY).await;
    for kind in ["application/vnd.example.sbom+json", "application/vnd.example.signature+json"] {
        let mut referrer: Value = serde_json::from_str(&image(&[&config], Some(&subject))).expect("JSON");
        referrer["artifactType"] = json!(kind);
        referrer["annotations"] = json!({ "kind": kind });
        let content = referrer.to_string();
        let reference = Digest::sha256(content.as_bytes()).to_string();
        let put = house.put_manifest(REPOSITORY, &reference, &content).await;
        assert_eq!(put.header("oci-subject"), digest.to_string());
    }
    let path = format!("/v2/{REPOSITORY}/referrers/{digest}");
    let all = house.get(&path).await;
    assert!(!all.has("oci-filters-applied") && !all.has("link"));
    insta::assert_json_snapshot!("referrers", all.json());
    for spelled in ["application/vnd.example.sbom+json", "application%2Fvnd.example.sbom%2Bjson"] {
        let some = house.ask("GET", &format!("{path}?artifactType={spelled}"), &[], Body::empty()).await;
        assert_eq!(some.header("oci-filters-applied"), "artifactType");
        let manifests = some.json()["manifests"].as_array().cloned().expect("a list");
        assert_eq!(manifests.len(), 1);
        assert_eq!(manifests[0]["artifactType"], "application/vnd.example.sbom+json");
    }
    let page = house.get(&format!("{path}?after=9223372036854775807")).await;
    assert_eq!(page.json()["manifests"], json!([]));
}

#[tokio::test]
async fn heavy_referrers_come_in_pages_and_have_a_budget_until_they_were_sent() {
    let house = House::with(Wishes { manifest_limit: 4 << 20, ..Wishes::default() }).await;
    let (digest, subject) = push_subject(&house).await;
    let config = house.config(REPOSITORY).await;
    for number in ["0", "1"] {
        let mut referrer: Value = serde_json::from_str(&image(&[&config], Some(&subject))).expect("JSON");
        referrer["annotations"] = json!({ "number": number, "text": "x".repeat(3 << 20) });
        let content = referrer.to_string();
        let reference = Digest::sha256(content.as_bytes()).to_string();
        assert_eq!(house.put_manifest(REPOSITORY, &reference, &content).await.status, 201);
    }
    let path = format!("/v2/{REPOSITORY}/referrers/{digest}");
    let untaken = house.begin_get(&path).await;
    assert!(house.lists.in_use() > 3 << 20);
    drop(untaken);
    // There is room for one of them, and whoever has an answer has its room.
    let (first, path) = {
        let first = house.get(&path).await;
        (first.json(), next(&first).expect("a link to the rest"))
    };
    let rest = house.get(&path).await;
    assert!(!rest.has("link"));
    for (page, number) in [(first, "0"), (rest.json(), "1")] {
        assert_eq!(page["manifests"].as_array().map(Vec::len), Some(1));
        assert_eq!(page["manifests"][0]["annotations"]["number"], number);
    }
    drop(rest);
    assert_eq!(house.lists.in_use(), 0);
}
