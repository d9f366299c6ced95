//! Properties of every parser: none panics, and what is accepted says the same when printed.

mod written;

use proptest::prelude::*;

use self::written::{OTHER, written_again};
use crate::manifest::{LinkRole, Target};
use crate::media_type::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use crate::range::{self, ByteRange, Selection};
use crate::{Digest, Manifest, MediaType, Reference, RepositoryName, Tag};

/// Strings that come near the grammars, so that both sides of every rule are met.
fn near_miss() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9._/-]{0,40}",
        "[a-zA-Z0-9._-]{0,130}",
        "sha(256|512):[0-9a-fA-F]{60,130}",
        "sha256:[0-9a-f]{63,65}",
        "sha512:[0-9a-f]{127,129}",
        "(bytes=)?[0-9, -]{0,30}",
        "\\PC{0,60}",
    ]
}

const MANIFEST_TYPES: [&str; 5] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, OTHER];

/// Some of a manifest's fields.
fn fields() -> impl Strategy<Value = String> {
    let descriptor = |media_type: &str| {
        let digest = Digest::sha256(media_type.as_bytes());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":3}}"#)
    };
    let [layer, entry] = ["a/b", OCI_MANIFEST].map(descriptor);
    let fields = vec![
        r#""schemaVersion":2"#.to_owned(),
        format!(r#""config":{layer}"#),
        format!(r#""layers":[{layer},{layer}]"#),
        format!(r#""manifests":[{entry},{layer}]"#),
        format!(r#""subject":{entry}"#),
        r#""annotations":{"a":"b"}"#.to_owned(),
        r#""artifactType":"a/b""#.to_owned(),
    ];
    let all = fields.len();
    let media_type = prop::option::of(prop::sample::select(MANIFEST_TYPES.to_vec()));
    (media_type, prop::sample::subsequence(fields, 0..=all)).prop_map(|(media_type, mut fields)| {
        fields.extend(media_type.map(|media_type| format!(r#""mediaType":"{media_type}""#)));
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #[test]
    fn what_is_accepted_prints_as_it_was(text in near_miss()) {
        if let Ok(name) = text.parse::<RepositoryName>() {
            prop_assert_eq!(format!("{}/{}", name.project(), name.path()), text.clone());
        }
        if let Ok(tag) = text.parse::<Tag>() {
            prop_assert_eq!(tag.as_str(), &text);
        }
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), text.clone());
            prop_assert_eq!(Digest::from_bytes(&digest.to_bytes()), Some(digest));
        }
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(reference.to_string(), text.clone());
        }
        if let Ok(media_type) = text.parse::<MediaType>() {
            prop_assert!(text.trim().starts_with(media_type.as_str()));
        }
    }

    #[test]
    fn names_follow_the_specs_expression(text in "[a-c._/-]{0,12}") {
        // The distribution-spec's grammar with its first component narrowed to a project, written as a walk over runs.
        let component = |c: &str, double: bool| {
            let runs: Vec<&str> = c.split(|ch: char| !ch.is_ascii_alphanumeric()).collect();
            let ends = !c.is_empty() && c.starts_with(char::is_alphanumeric) && c.ends_with(char::is_alphanumeric);
            let separators = c.split(char::is_alphanumeric).filter(|s| !s.is_empty());
            let allowed = |s: &str| matches!(s, "." | "_" | "-") || (double && (s == "__" || s.chars().all(|ch| ch == '-')));
            ends && !runs.is_empty() && separators.into_iter().all(allowed)
        };
        let parts: Vec<&str> = text.split('/').collect();
        let expected = parts.len() > 1 && component(parts[0], false) && parts[1..].iter().all(|c| component(c, true));
        prop_assert_eq!(text.parse::<RepositoryName>().is_ok(), expected);
    }

    #[test]
    fn selected_parts_lie_within_the_content(header in "bytes=[0-9, -]{0,30}", size in 0_u64..2000) {
        if let Selection::Parts(parts) = range::select(&header, size) {
            prop_assert!(!parts.is_empty() && parts.len() <= range::MOST_PARTS);
            for part in parts {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }

    #[test]
    fn chunks_are_read_in_both_forms(first: u64, last: u64, length: u64) {
        let expected = (first <= last && last < u64::MAX).then(|| ByteRange { start: first, end: last + 1 });
        for text in [
            format!("{first}-{last}"),
            format!(" {first}-{last}\t"),
            format!("bytes {first}-{last}/{length}"),
            format!("bytes {first}-{last}/*"),
        ] {
            prop_assert_eq!(range::chunk(&text), expected, "{}", text);
        }
    }

    #[test]
    fn a_chunk_is_never_empty(
        header in prop_oneof!["(bytes )?[0-9]{0,21}-[0-9]{0,21}(/[0-9*]{0,21})?", near_miss()],
    ) {
        if let Some(chunk) = range::chunk(&header) {
            prop_assert!(chunk.start < chunk.end);
            prop_assert_eq!(range::chunk(&format!("{}-{}", chunk.start, chunk.end - 1)), Some(chunk));
        }
    }

    #[test]
    fn manifests_are_the_same_whoever_says_their_type(content in fields()) {
        let by_body = Manifest::parse(content.as_bytes(), None);
        for header in MANIFEST_TYPES {
            let header: MediaType = header.parse().expect("a media type");
            let by_header = Manifest::parse(content.as_bytes(), Some(&header));
            if let Ok(manifest) = &by_header {
                prop_assert_eq!(&manifest.media_type, &header);
                let other = OTHER.parse().expect("a media type");
                let again = Manifest::parse(written_again(manifest).as_bytes(), Some(&other));
                let again = again.expect("what was read is written");
                prop_assert_eq!(&again.links, &manifest.links);
                prop_assert_eq!((&again.subject, &again.annotations), (&manifest.subject, &manifest.annotations));
            }
            if by_body.as_ref().is_ok_and(|manifest| manifest.media_type == header) {
                prop_assert_eq!(&by_header, &by_body);
            }
        }
    }

    #[test]
    fn manifests_do_not_panic(content in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9]{0,80}") {
        let _ = Manifest::parse(&content, None);
        let _ = Manifest::parse(text.as_bytes(), None);
    }
}
