//! What was read of a manifest, written again. The proptests and the fuzz target of manifests share it, so whoever holds it has the
//! types of this crate at hand.

use super::{LinkRole, Manifest, Target};

/// A type that is none of those with a form of their own.
pub(super) const OTHER: &str = "application/vnd.example+json";

/// A manifest of [`OTHER`] type that says what this one says.
pub(super) fn written_again(manifest: &Manifest) -> String {
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
    format!("{{{}}}", fields.join(","))
}

fn written(target: &Target) -> String {
    let Target { media_type, digest, size, has_urls } = target;
    let urls = if *has_urls { r#","urls":["x"]"# } else { "" };
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{urls}}}"#)
}
