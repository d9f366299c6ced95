//! Descriptors: how content points at content (image-spec, "OCI Content Descriptors").

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Digest, MediaType};

/// What a list says of one piece of content. What a manifest says of it is a [`Target`](crate::manifest::Target).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The type of the artifact, if it points at one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The content's own annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}
