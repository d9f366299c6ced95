//! Refused manifests leave nothing visible: no tag, no content under any digest, no entry in a list.

use axum::body::Body;
use berth_oci::{Algorithm, Digest};
use futures::stream;
use serde_json::{Value, json};

use crate::house::{Answer, House, OCI_INDEX, OCI_MANIFEST, image};

const REPOSITORY: &str = "library/refused";
const TYPE: (&str, &str) = ("content-type", OCI_MANIFEST);

/// A repository with one image, which is the subject of everything that is refused.
struct Scene {
    house: House,
    config: Value,
    layer: Value,
    subject: Value,
    referrers: String,
}

fn path(reference: &str) -> String {
    format!("/v2/{REPOSITORY}/manifests/{reference}")
}

impl Scene {
    async fn open() -> Self {
        let house = House::open().await;
        let manifest = house.push_image(REPOSITORY, "good", "layer").await;
        let (config, layer) = (house.config(REPOSITORY).await, house.layer(REPOSITORY, "layer").await);
        let digest = Digest::sha256(manifest.as_bytes());
        let subject = json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": manifest.len() });
        let referrers = format!("/v2/{REPOSITORY}/referrers/{digest}");
        Self { house, config, layer, subject, referrers }
    }

    /// A manifest that nothing is wrong with.
    fn whole(&self) -> String {
        image(&[&self.config, &self.layer], Some(&self.subject))
    }

    async fn put(&self, reference: &str, fields: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.house.ask("PUT", &path(reference), fields, body).await
    }

    /// Asserts that nothing tells of the content that was put under the tag `bad`.
    async fn assert_unseen(&self, content: &str, why: &str) {
        let digests = [Algorithm::Sha256, Algorithm::Sha512]
            .map(|algorithm| Digest::of(algorithm, content.as_bytes()).to_string());
        for reference in digests.iter().map(String::as_str).chain(["bad"]) {
            let (got, head) =
                (self.house.get(&path(reference)).await, self.house.head(&path(reference)).await);
            assert_eq!((got.status, head.status), (404, 404), "{why}: {got:?}");
        }
        let tags = self.house.get(&format!("/v2/{REPOSITORY}/tags/list")).await;
        assert_eq!(tags.json()["tags"], json!(["good"]), "{why}");
        assert_eq!(self.house.get(&self.referrers).await.json()["manifests"], json!([]), "{why}");
    }
}

#[tokio::test]
async fn under_a_tag() {
    let scene = Scene::open().await;
    let Scene { config, layer, subject, .. } = &scene;
    let whole = scene.whole();
    let missing =
        json!({ "mediaType": "application/x.test", "digest": Digest::sha256(b"not pushed"), "size": 10 });
    let resized = |descriptor: &Value| {
        let mut resized = descriptor.clone();
        resized["size"] = json!(1);
        resized
    };
    for (why, content, fields, status, code) in [
        (
            "a layer is missing",
            image(&[config, &missing], Some(subject)),
            &[TYPE][..],
            400,
            "MANIFEST_BLOB_UNKNOWN",
        ),
        (
            "a layer has another size",
            image(&[config, &resized(layer)], Some(subject)),
            &[TYPE],
            400,
            "MANIFEST_INVALID",
        ),
        (
            "the subject has another size",
            image(&[config, layer], Some(&resized(subject))),
            &[TYPE],
            400,
            "MANIFEST_INVALID",
        ),
        ("a key stands twice", whole.replacen('{', "{\"layers\":[],", 1), &[TYPE], 400, "MANIFEST_INVALID"),
        ("it is no index", whole.clone(), &[("content-type", OCI_INDEX)], 400, "MANIFEST_INVALID"),
        ("there is no such tag", whole.clone(), &[TYPE, ("if-match", "*")], 412, "PRECONDITION_FAILED"),
    ] {
        scene.put("bad", fields, content.clone()).await.expect(status, code);
        scene.assert_unseen(&content, why).await;
    }
    assert_eq!(scene.put("bad", &[TYPE], whole).await.status, 201);
}

#[tokio::test]
async fn under_the_digest_of_something_else() {
    let scene = Scene::open().await;
    let whole = scene.whole();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let other = Digest::of(algorithm, b"something else").to_string();
        for reference in [other.clone(), format!("{other}?tag=bad")] {
            scene.put(&reference, &[TYPE], whole.clone()).await.expect(400, "DIGEST_INVALID");
            scene.house.get(&path(&other)).await.expect(404, "MANIFEST_UNKNOWN");
            scene.assert_unseen(&whole, &reference).await;
        }
    }
}

/// What came of it is a manifest, but not all that was announced or was to come.
#[tokio::test]
async fn that_do_not_come_whole() {
    let scene = Scene::open().await;
    let whole = scene.whole();
    let (longer, shorter) = ((whole.len() + 1).to_string(), (whole.len() - 1).to_string());
    for (why, length, breaks) in [
        ("shorter than it says", Some(&longer), false),
        ("longer than it says", Some(&shorter), false),
        ("broken off", Some(&longer), true),
        ("broken off, of no length", None, true),
    ] {
        let end = breaks.then(|| Err(std::io::Error::other("reset")));
        let body = Body::from_stream(stream::iter([Ok(whole.clone())].into_iter().chain(end)));
        let mut fields = vec![TYPE];
        fields.extend(length.map(|length| ("content-length", length.as_str())));
        scene.put("bad", &fields, body).await.expect(400, "SIZE_INVALID");
        scene.assert_unseen(&whole, why).await;
    }
}
