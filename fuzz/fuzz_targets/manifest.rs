//! Manifests: any bytes are read or refused, whatever type the request says they have, and what is read says the same when written again.
#![no_main]

#[path = "../../crates/oci/src/properties/written.rs"]
mod written;

use berth_oci::manifest::{LinkRole, Target};
use berth_oci::media_type::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use berth_oci::{Digest, Manifest, MediaType};
use libfuzzer_sys::fuzz_target;

use self::written::{OTHER, written_again};

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
    for Target { media_type, digest, .. } in
        manifest.links.iter().map(|link| &link.descriptor).chain(&manifest.subject)
    {
        assert_eq!(media_type.as_str().parse::<MediaType>().as_ref(), Ok(media_type));
        assert_eq!(digest.to_string().parse::<Digest>().as_ref(), Ok(digest));
    }
    let other = OTHER.parse().expect("a media type");
    let again = Manifest::parse(written_again(manifest).as_bytes(), Some(&other)).expect("what was read is written");
    assert_eq!((&again.links, &again.subject), (&manifest.links, &manifest.subject));
    assert_eq!(again.annotations, manifest.annotations);
}
