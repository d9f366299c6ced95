//! Manifests as they come over the wire.

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn descriptor(media_type: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{DIGEST}","size":0}}"#)
}

fn image(extra: &str) -> String {
    let config = descriptor("application/vnd.oci.image.config.v1+json");
    format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{config},"layers":[]{extra}}}"#)
}

fn parse(content: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(content.as_bytes(), None)
}

#[test]
fn reads_an_image() {
    let manifest = parse(&image("")).expect("valid");
    assert_eq!(manifest.kind, ManifestKind::Image);
    assert_eq!(manifest.referrer_type(), Some("application/vnd.oci.image.config.v1+json"));
    assert_eq!(manifest.links.len(), 1);
}

#[test]
fn tells_manifests_from_other_entries() {
    let content = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        descriptor(OCI_MANIFEST),
        descriptor("application/vnd.oci.image.layer.v1.tar+gzip")
    );
    let manifest = parse(&content).expect("valid");
    assert_eq!(manifest.media_type.as_str(), OCI_INDEX);
    let roles: Vec<_> = manifest.links.iter().map(|link| link.role).collect();
    assert_eq!(roles, [LinkRole::Manifest, LinkRole::Entry]);
}

#[test]
fn refuses_what_two_readers_could_read_differently() {
    assert!(matches!(parse(&image(r#","manifests":[]"#)), Err(ManifestError::MisplacedField("manifests"))));
    assert_eq!(parse(&image(r#","layers":[]"#)), Err(ManifestError::DuplicateKey("layers".into())));
    let nested = image(r#","annotations":{"a":"1","a":"2"}"#);
    assert_eq!(parse(&nested), Err(ManifestError::DuplicateKey("a".into())));
    let header: MediaType = OCI_INDEX.parse().expect("valid");
    assert!(matches!(
        Manifest::parse(image("").as_bytes(), Some(&header)),
        Err(ManifestError::Contradiction { .. })
    ));
}

/// Go's `encoding/json` takes the last of them, whatever the case of its letters.
#[test]
fn refuses_keys_that_other_readers_take_for_fields() {
    let [one, other] = ["a/b", "c/d"].map(descriptor);
    let mistakable = |content: &str| match parse(content) {
        Err(ManifestError::MistakableKey { key, field }) => (key, field),
        outcome => panic!("{content}: {outcome:?}"),
    };
    let said = |key: &str, field| (key.to_owned(), field);
    for key in ["Layers", "LAYERS", "layer\u{17f}"] {
        assert_eq!(mistakable(&image(&format!(r#","{key}":[{other}]"#))), said(key, "layers"));
    }
    assert_eq!(mistakable(&image(r#","\u004cayers":[]"#)), said("Layers", "layers"));
    assert_eq!(mistakable(&image(r#","Subject":null"#)), said("Subject", "subject"));
    let within = |place: &str, key: &str| {
        let twice = one.replace('}', &format!(r#","{key}":"{DIGEST}"}}"#));
        image(&format!(r#","{place}":{twice}"#))
    };
    assert_eq!(mistakable(&within("subject", "Digest")), said("Digest", "digest"));
    let entries = |key: &str| within("x", key).replace(r#","x":"#, r#","blobs":["#).replace("}}", "}]}");
    assert_eq!(mistakable(&entries("urlS")), said("urlS", "urls"));
    // Elsewhere no field is read, and another reader's are its own affair.
    let elsewhere =
        image(r#","annotations":{"Layers":"1","layers":"2","SIZE":"3"},"extra":{"Digest":1,"digest":2}"#);
    parse(&elsewhere).expect("keys that nobody takes for another");
    parse(&image(r#","Layer":[],"x":[{"Size":1}]"#)).expect("keys that nobody takes for another");
}

/// What docker, helm, cosign and others push, with all the fields that they have.
#[test]
fn takes_manifests_as_clients_write_them() {
    let signature = format!(
        r#"{{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":233,"digest":"{DIGEST}",
            "annotations":{{"dev.cosignproject.cosign/signature":"MEUCIQ","dev.sigstore.cosign/bundle":"{{\"SignedEntryTimestamp\":\"x\"}}"}}}}"#
    );
    let platform = r#""platform":{"architecture":"arm","os":"linux","variant":"v7","os.version":"10","os.features":["a"],"features":["sse4"]}"#;
    let data = format!(
        r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{DIGEST}","size":2,"data":"e30="}}"#
    );
    let layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip");
    for content in [
        image(&format!(r#","layers":[{signature}]"#)).replace(r#""layers":[],"#, ""),
        image(&format!(
            r#","artifactType":"application/vnd.x","subject":{data},"annotations":{{"org.opencontainers.image.title":"x"}}"#
        )),
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{DOCKER_LIST}","manifests":[{{"mediaType":"{DOCKER_MANIFEST}","size":7143,"digest":"{DIGEST}",{platform}}}]}}"#
        ),
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[{layer}],"annotations":{{"SchemaVersion":"2","MediaType":"x"}}}}"#
        ),
        format!(
            r#"{{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"a/b","blobs":[{layer}],"subject":{data}}}"#
        ),
    ] {
        parse(&content).unwrap_or_else(|error| panic!("{content}: {error}"));
    }
}

#[test]
fn refuses_what_is_no_manifest() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for content in ["", "no", "{", "[]", "3", "{}", deep.as_str(), r#"{"layers":[{"size":-1}]}"#] {
        assert!(parse(content).is_err(), "{content:.20}");
    }
    assert_eq!(parse(r#"{"schemaVersion":1,"layers":[]}"#), Err(ManifestError::Schema1));
    assert_eq!(parse(&image(r#","artifactType":"a\u0000""#)), Err(ManifestError::ArtifactType));
    assert_eq!(parse(r#"{"schemaVersion":3,"manifests":[]}"#), Err(ManifestError::SchemaVersion));
    assert!(matches!(
        parse(r#"{"schemaVersion":2,"layers":[]}"#),
        Err(ManifestError::MissingField("config"))
    ));
}

#[test]
fn refuses_lists_where_objects_are_due() {
    let [list, object] = [r#"["a/b","sha256:%",2]"#, r#"{"mediaType":"a/b","digest":"sha256:%","size":2}"#]
        .map(|text| text.replace('%', &"0".repeat(64)));
    for content in [
        format!(r#"{{"schemaVersion":2,"config":{list},"layers":[]}}"#),
        format!(r#"{{"schemaVersion":2,"config":{object},"layers":[{list}]}}"#),
        format!(r#"{{"schemaVersion":2,"config":{object},"layers":[],"subject":{list}}}"#),
        format!(r#"{{"schemaVersion":2,"manifests":[{list}]}}"#),
    ] {
        let error = parse(&content).expect_err(&content).to_string();
        assert!(error.contains("expected an object"), "{error}");
        parse(&content.replace(&list, &object)).expect("objects are read");
    }
    let other: MediaType = "application/vnd.example+json".parse().expect("valid");
    let whole = format!("[2,null,null,{object},null,null,null,null,null]");
    assert!(matches!(Manifest::parse(whole.as_bytes(), Some(&other)), Err(ManifestError::Json(_))));
}

#[test]
fn keeps_annotations_for_lists_of_referrers_alone() {
    let annotations = r#","annotations":{"b":"2","a":"1"}"#;
    assert_eq!(parse(&image(annotations)).map(|manifest| manifest.annotations), Ok(None));
    let about = |extra: &str| image(&format!(r#"{extra},"subject":{}"#, descriptor(OCI_MANIFEST)));
    let kept = |extra: &str| parse(&about(extra)).map(|manifest| manifest.annotations);
    assert_eq!(kept(annotations), Ok(Some(r#"{"a":"1","b":"2"}"#.to_owned())));
    for none in ["", r#","annotations":{}"#, r#","annotations":null"#] {
        assert_eq!(kept(none), Ok(None), "{none}");
    }
}

#[test]
fn looks_at_what_it_does_not_keep() {
    let with = |field: &str| image("").replacen(r#""size":0"#, &format!(r#""size":0,{field}"#), 1);
    let foreign = |field: &str| parse(&with(field)).map(|manifest| manifest.links[0].descriptor.is_foreign());
    assert_eq!(foreign(r#""urls":["https://example.org/x"]"#), Ok(true));
    assert_eq!(foreign(r#""urls":[],"annotations":{"a":"b"},"artifactType":"a/b""#), Ok(false));
    assert_eq!(foreign(r#""urls":null,"annotations":null,"artifactType":null"#), Ok(false));
    for wrong in [
        r#""urls":"a""#,
        r#""urls":[1]"#,
        r#""annotations":{"a":1}"#,
        r#""annotations":[]"#,
        r#""artifactType":2"#,
    ] {
        assert!(matches!(foreign(wrong), Err(ManifestError::Json(_))), "{wrong}");
        let content = image(&format!(",{wrong}"));
        assert_eq!(parse(&content).is_err(), !wrong.contains("urls"), "{wrong}");
    }
}

#[test]
fn keeps_any_other_media_type() {
    let header: MediaType = "application/vnd.example+json".parse().expect("valid");
    let manifest = Manifest::parse(br#"{"anything":[1,2,{"x":null}]}"#, Some(&header)).expect("valid");
    assert_eq!((manifest.kind, manifest.media_type), (ManifestKind::Other, header));
}

#[test]
fn takes_null_for_an_empty_list() {
    assert_eq!(parse(r#"{"schemaVersion":2,"manifests":null}"#).map(|manifest| manifest.links), Ok(vec![]));
}
