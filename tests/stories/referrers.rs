//! Clients from before the referrers API: they keep a list of their own under a tag that is called after the subject.

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, Image, Repository, Request};
use serde_json::{Value, json};

const SBOM: &str = "application/vnd.story.sbom";
const EMPTY: &[u8] = b"{}";

/// Pushes an artifact about `subject`; gives its entry in lists.
fn attach(repository: &Repository, subject: &Image, note: &str) -> Value {
    repository.push_blob(EMPTY).expect("pushed");
    let empty = json!({
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": Digest::sha256(EMPTY).to_string(),
        "size": EMPTY.len(),
    });
    let artifact = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": SBOM,
        "config": empty,
        "layers": [empty],
        "subject": {
            "mediaType": media_type::OCI_MANIFEST,
            "digest": subject.digest().to_string(),
            "size": subject.manifest().len(),
        },
        "annotations": { "note": note },
    });
    let artifact = serde_json::to_vec(&artifact).expect("JSON can be written");
    let digest = Digest::sha256(&artifact);
    repository.push_manifest(&digest.to_string(), media_type::OCI_MANIFEST, &artifact).expect("pushed");
    json!({
        "mediaType": media_type::OCI_MANIFEST,
        "digest": digest.to_string(),
        "size": artifact.len(),
        "artifactType": SBOM,
        "annotations": { "note": note },
    })
}

fn index_of(entries: &[Value]) -> Vec<u8> {
    let index = json!({ "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": entries });
    serde_json::to_vec(&index).expect("JSON can be written")
}

/// The digests in the server's own list.
fn listed(repository: &Repository, subject: &Image) -> Vec<Value> {
    let path = repository.path(&format!("referrers/{}", subject.digest()));
    let answer = repository.ask(&Request::get(path)).expect("an answer").expect(200);
    let mut found = answer.json()["manifests"].as_array().expect("an index").clone();
    found.sort_by_key(|entry| entry["annotations"]["note"].to_string());
    found
}

#[test]
fn a_list_under_a_fallback_tag_is_kept_and_its_entries_are_listed_once() {
    let server = BerthServer::start();
    let repository = server.repository("library/older");
    let subject = Image::random(1, 10_000);
    repository.push_image("1", &subject).expect("pushed");
    let tag = subject.digest().to_string().replace(':', "-");

    // As such a client does it: the artifact, then the list with it; then both again, with the list read and made longer.
    let mut entries = vec![attach(&repository, &subject, "first")];
    repository.push_manifest(&tag, media_type::OCI_INDEX, &index_of(&entries)).expect("pushed");
    assert_eq!(listed(&repository, &subject), entries);
    let found = repository.manifest(&tag).expect("an answer").expect(200);
    assert_eq!(found.body, index_of(&entries), "the client's list is the client's");
    entries.push(attach(&repository, &subject, "second"));
    repository.push_manifest(&tag, media_type::OCI_INDEX, &index_of(&entries)).expect("pushed");
    assert_eq!(listed(&repository, &subject), entries);

    // Its list goes, and what it was about stays.
    repository.delete_manifest(&tag).expect("an answer").expect(202);
    assert_eq!(listed(&repository, &subject), entries);
    let first = entries[0]["digest"].as_str().expect("a digest");
    repository.delete_manifest(first).expect("an answer").expect(202);
    assert_eq!(listed(&repository, &subject), entries[1..]);
}

#[test]
fn a_list_may_come_before_its_subject() {
    let server = BerthServer::start();
    let repository = server.repository("library/older");
    let subject = Image::random(2, 10_000);
    let tag = subject.digest().to_string().replace(':', "-");
    let entry = attach(&repository, &subject, "early");
    repository
        .push_manifest(&tag, media_type::OCI_INDEX, &index_of(std::slice::from_ref(&entry)))
        .expect("pushed");
    assert_eq!(listed(&repository, &subject), std::slice::from_ref(&entry));
    repository.push_image("1", &subject).expect("pushed");
    assert_eq!(listed(&repository, &subject), [entry]);
}
