//! buildkit's registry cache, as a recorded push: an index whose entries are layers and a config of its own type.

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, random_bytes};
use serde_json::{Value, json};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CACHE_CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";

fn entry(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(content).to_string(), "size": content.len() })
}

#[test]
fn a_build_cache_is_exported_and_imported() {
    let server = BerthServer::start();
    let repository = server.repository("library/cache");
    let layers: Vec<_> = (1..=3).map(|seed| random_bytes(seed, 50_000)).collect();
    let config = json!({
        "layers": layers.iter().map(|layer| json!({ "blob": Digest::sha256(layer).to_string(), "parent": -1 })).collect::<Vec<_>>(),
        "records": [{ "digest": Digest::sha256(b"a step").to_string(), "results": [{ "layer": 0 }] }],
    });
    let config = serde_json::to_vec(&config).expect("JSON can be written");
    for blob in layers.iter().chain([&config]) {
        repository.push_blob(blob).expect("pushed");
    }
    let mut manifests: Vec<_> = layers.iter().map(|layer| entry(LAYER, layer)).collect();
    manifests.push(entry(CACHE_CONFIG, &config));
    let index = json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests });
    let index = serde_json::to_vec(&index).expect("JSON can be written");

    repository.push_manifest("cache", media_type::OCI_INDEX, &index).expect("an index of layers is taken");
    let found = repository.manifest("cache").expect("an answer").expect(200);
    assert_eq!(found.header("content-type"), Some(media_type::OCI_INDEX));
    assert_eq!(found.body, index);
    for entry in found.json()["manifests"].as_array().expect("an index") {
        let digest: Digest = entry["digest"].as_str().expect("a digest").parse().expect("a digest");
        let blob = repository.blob(&digest).expect("an answer").expect(200);
        assert_eq!(Digest::sha256(&blob.body), digest);
    }
}
