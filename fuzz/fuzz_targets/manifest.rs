//! Manifests: any bytes are read or refused, whatever type the request says they have, and what is read says the same when written again.
#![no_main]

use berth_oci::manifest::{LinkRole, Target};
use berth_oci::media_type::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use berth_oci::{Digest, Manifest, MediaType};
use libfuzzer_sys::fuzz_target;

const OTHER: &str = "application/vnd.example+json";

fuzz_target!(|content: &[u8]| {
    let by_body = Manifest::parse(content, None);
    for header in [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, OTHER] {
        let header: MediaType = header.parse().expect("a media type");
        let by_header = Manifest::parse(content, Some(&header));
        if by_body.as_ref().is_ok_and(|manifest| manifest.media_type == header) {
            assert_eq!(by_header, by_body);
        }
        if let Ok(manifest) = by_header {
            assert_eq!(manifest.media_type, header);
            check(&manifest);
        }
    }
    if let Ok(manifest) = by_body {
        assert_eq!(Manifest::parse(content, Some(&manifest.media_type)).as_ref(), Ok(&manifest));
        check(&manifest);
    }
});

/// Written again, it says the same.
fn check(manifest: &Manifest) {
    let of = |wanted: &[LinkRole]| {
        let links = manifest.links.iter().filter(|link| wanted.contains(&link.role));
        links.map(|link| written(&link.descriptor)).collect::<Vec<_>>()
    };
    let mut fields = vec![
        format!(r#""layers":[{}]"#, of(&[LinkRole::Layer]).join(",")),
        format!(r#""manifests":[{}]"#, of(&[LinkRole::Manifest, LinkRole::Entry]).join(",")),
    ];
    fields.extend(of(&[LinkRole::Config]).iter().map(|config| format!(r#""config":{config}"#)));
    fields.extend(manifest.subject.iter().map(|subject| format!(r#""subject":{}"#, written(subject))));
    fields.extend(manifest.annotations.iter().map(|annotations| format!(r#""annotations":{annotations}"#)));
    let content = format!("{{{}}}", fields.join(","));
    let other = OTHER.parse().expect("a media type");
    let again = Manifest::parse(content.as_bytes(), Some(&other)).expect("what was read is written");
    assert_eq!((again.links, again.subject), (manifest.links.clone(), manifest.subject.clone()));
    assert_eq!(again.annotations, manifest.annotations);
}

fn written(target: &Target) -> String {
    let Target { media_type, digest, size, has_urls } = target;
    assert_eq!(media_type.as_str().parse::<MediaType>().as_ref(), Ok(media_type));
    assert_eq!(digest.to_string().parse::<Digest>().as_ref(), Ok(digest));
    let urls = if *has_urls { r#","urls":["x"]"# } else { "" };
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{urls}}}"#)
}
