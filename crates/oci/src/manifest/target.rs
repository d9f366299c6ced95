//! What a manifest says of content that it points at, as far as a registry looks at it.

use serde::Deserialize;

use super::unkept::{Text, TextMap, Texts};
use crate::{Digest, MediaType};

/// A descriptor as it stands in a manifest, without what only the manifest's bytes keep.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Fields")]
pub struct Target {
    /// What the content is.
    pub media_type: MediaType,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Whether other places (`urls`) offer it.
    pub has_urls: bool,
}

impl Target {
    /// Whether a registry need not hold the content: it is elsewhere or may not be distributed.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.media_type.is_non_distributable() || self.has_urls
    }
}

/// The fields that are read; `json` names them too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    media_type: MediaType,
    digest: Digest,
    size: u64,
    #[serde(rename = "artifactType")]
    _artifact_type: Option<Text>,
    #[serde(rename = "annotations")]
    _annotations: Option<TextMap>,
    urls: Option<Texts>,
}

impl From<Fields> for Target {
    fn from(fields: Fields) -> Self {
        let Fields { media_type, digest, size, urls, .. } = fields;
        Self { media_type, digest, size, has_urls: urls.is_some_and(|urls| urls.any) }
    }
}
