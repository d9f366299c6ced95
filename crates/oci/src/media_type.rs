//! Media types as content is described with them: kept as given, without parameters.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::digest::printable;
use crate::name::prints_as_text;

/// `type/subtype` as RFC 6838 writes it, at most 255 bytes, parameters cut off, case kept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType(Arc<str>);

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, schema 1: refused.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// Docker image manifest, schema 1 with a signature: refused.
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

impl MediaType {
    /// The media type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether content of this type is never asked for from a registry (`nondistributable` and Docker's `foreign` layers).
    #[must_use]
    pub fn is_non_distributable(&self) -> bool {
        self.0.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.0.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }

    /// Whether this is one of Docker's schema 1 forms, which registries no longer take.
    #[must_use]
    pub fn is_schema1(&self) -> bool {
        matches!(&*self.0, DOCKER_SCHEMA1 | DOCKER_SCHEMA1_SIGNED)
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(s: &str) -> Result<Self, MediaTypeError> {
        let bare = s.split(';').next().unwrap_or_default().trim();
        let token = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+%'*`|~".contains(&b))
        };
        match bare.split_once('/') {
            Some((kind, subtype)) if bare.len() <= 255 && token(kind) && token(subtype) => {
                Ok(Self(bare.into()))
            }
            _ => Err(MediaTypeError(printable(s))),
        }
    }
}

prints_as_text!(MediaType);

/// The string is no media type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a media type: write type/subtype, at most 255 characters")]
pub struct MediaTypeError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_parameters_and_refuses_nonsense() {
        let parsed: MediaType =
            "application/vnd.oci.image.manifest.v1+json; charset=utf-8".parse().expect("valid");
        assert_eq!(parsed.as_str(), OCI_MANIFEST);
        for bad in ["", "json", "a/", "/b", "a/b/c", "a b/c"] {
            assert!(bad.parse::<MediaType>().is_err(), "{bad}");
        }
    }
}
