//! Descriptors: how content points at content (image-spec, "OCI Content Descriptors").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, MediaType};

/// What a manifest says of one piece of content. Unknown fields are ignored when read: the manifest's bytes keep them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The type of the artifact, if it points at one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Annotations of whoever points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Other places that offer the content; a registry is not asked for such content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
}

impl Descriptor {
    /// Whether a registry need not hold the content: it is elsewhere or may not be distributed.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.media_type.is_non_distributable() || self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }
}
