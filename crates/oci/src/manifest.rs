//! Manifests: what a registry must read of them, and no more. The bytes stay as they came.

mod json;
mod object;
mod target;
mod unkept;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::MediaType;
use crate::media_type::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};
use object::Object;
pub use target::Target;
use unkept::TextMap;

/// What a manifest is by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// An OCI or Docker image manifest: config and layers.
    Image,
    /// An OCI index or Docker list: entries.
    Index,
    /// Anything else; it may have any of the fields.
    Other,
}

/// What a manifest says, read from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The media type it is stored and served with.
    pub media_type: MediaType,
    /// What it is by that.
    pub kind: ManifestKind,
    /// The manifest's own `artifactType`.
    pub artifact_type: Option<String>,
    /// Everything it points at, in the order of the bytes, without the subject.
    pub links: Vec<Link>,
    /// What it is about: existing content or content still to come.
    pub subject: Option<Target>,
    /// Its own annotations, as a JSON object in the order of their keys, if it has some and a subject: only a list of referrers
    /// shows them without the content that has them too.
    pub annotations: Option<String>,
}

/// One descriptor within a manifest and the place it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The place.
    pub role: LinkRole,
    /// What it points at.
    pub descriptor: Target,
}

/// In which place of a manifest a descriptor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkRole {
    /// `config`: a blob.
    Config,
    /// `layers[]` or `blobs[]`: a blob.
    Layer,
    /// `manifests[]` with a manifest's media type: a manifest.
    Manifest,
    /// `manifests[]` with another media type: a blob or a manifest (buildkit's cache lists layers there).
    Entry,
}

/// The fields that are read; `json` names them too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    schema_version: Option<u64>,
    media_type: Option<MediaType>,
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "descriptor")]
    config: Option<Target>,
    #[serde(default, deserialize_with = "null_is_empty")]
    layers: Option<Vec<Target>>,
    #[serde(default, deserialize_with = "null_is_empty")]
    blobs: Option<Vec<Target>>,
    #[serde(default, deserialize_with = "null_is_empty")]
    manifests: Option<Vec<Target>>,
    #[serde(default, deserialize_with = "descriptor")]
    subject: Option<Target>,
    #[serde(rename = "annotations")]
    _annotations: Option<TextMap>,
}

fn descriptor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Target>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|Object(descriptor)| descriptor))
}

/// Go programs write an empty list as `null`.
fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Target>>, D::Error> {
    let list: Vec<Object<Target>> = Option::deserialize(deserializer)?.unwrap_or_default();
    Ok(Some(list.into_iter().map(|Object(descriptor)| descriptor).collect()))
}

/// The annotations of a manifest that was read without them.
fn annotations(content: &[u8]) -> serde_json::Result<Option<String>> {
    #[derive(Deserialize)]
    struct Annotated {
        annotations: Option<BTreeMap<String, String>>,
    }
    let Annotated { annotations } = serde_json::from_slice(content)?;
    let some = annotations.filter(|annotations| !annotations.is_empty());
    some.map(|annotations| serde_json::to_string(&annotations)).transpose()
}

impl Manifest {
    /// Reads a manifest. `content_type` is what the request said; without it the body's `mediaType` or its shape decides.
    pub fn parse(content: &[u8], content_type: Option<&MediaType>) -> Result<Self, ManifestError> {
        json::refuse_ambiguous_keys(content)?;
        let unreadable = |error: serde_json::Error| ManifestError::Json(error.to_string());
        let Object(fields): Object<Fields> = serde_json::from_slice(content).map_err(unreadable)?;
        let media_type = fields.media_type(content_type)?;
        if media_type.is_schema1() || fields.schema_version == Some(1) {
            return Err(ManifestError::Schema1);
        }
        let kind = match media_type.as_str() {
            OCI_MANIFEST | DOCKER_MANIFEST => ManifestKind::Image,
            OCI_INDEX | DOCKER_LIST => ManifestKind::Index,
            _ => ManifestKind::Other,
        };
        fields.check_shape(kind)?;
        if fields.artifact_type.as_ref().is_some_and(|kind| kind.contains(char::is_control)) {
            return Err(ManifestError::ArtifactType);
        }
        let annotations =
            if fields.subject.is_some() { annotations(content).map_err(unreadable)? } else { None };
        let places = [
            (LinkRole::Config, fields.config.map(|config| vec![config])),
            (LinkRole::Layer, fields.layers),
            (LinkRole::Layer, fields.blobs),
            (LinkRole::Manifest, fields.manifests),
        ];
        let mut links =
            Vec::with_capacity(places.iter().filter_map(|(_, all)| Some(all.as_ref()?.len())).sum());
        for (role, descriptors) in places {
            let descriptors = descriptors.into_iter().flatten();
            links.extend(descriptors.map(|descriptor| Link { role: role.of(&descriptor), descriptor }));
        }
        Ok(Self {
            kind,
            artifact_type: fields.artifact_type.filter(|kind| !kind.is_empty()),
            links,
            subject: fields.subject,
            annotations,
            media_type,
        })
    }

    /// The config's descriptor, if there is one.
    #[must_use]
    pub fn config(&self) -> Option<&Target> {
        self.links.iter().find(|link| link.role == LinkRole::Config).map(|link| &link.descriptor)
    }

    /// The type a referrers list shows: the manifest's own, else an image's config media type, else none.
    #[must_use]
    pub fn referrer_type(&self) -> Option<&str> {
        let config = || {
            self.config()
                .filter(|_| self.kind != ManifestKind::Index)
                .map(|config| config.media_type.as_str())
        };
        self.artifact_type.as_deref().or_else(config)
    }
}

impl LinkRole {
    /// The role of one descriptor in a place: an entry that does not say it is a manifest may be anything.
    fn of(self, descriptor: &Target) -> Self {
        let is_manifest = || {
            matches!(descriptor.media_type.as_str(), OCI_MANIFEST | OCI_INDEX | DOCKER_MANIFEST | DOCKER_LIST)
        };
        if self == Self::Manifest && !is_manifest() { Self::Entry } else { self }
    }
}

impl Fields {
    fn media_type(&self, content_type: Option<&MediaType>) -> Result<MediaType, ManifestError> {
        let known = |name: &str| name.parse().map_err(|_| ManifestError::NoMediaType);
        match (content_type, &self.media_type) {
            (Some(header), Some(body)) if header != body => {
                Err(ManifestError::Contradiction { header: header.clone(), body: body.clone() })
            }
            (Some(given), _) | (None, Some(given)) => Ok(given.clone()),
            (None, None) if self.manifests.is_some() => known(OCI_INDEX),
            (None, None) if self.layers.is_some() => known(OCI_MANIFEST),
            (None, None) => Err(ManifestError::NoMediaType),
        }
    }

    /// An image has config and layers, an index has entries, both say `schemaVersion` 2.
    fn check_shape(&self, kind: ManifestKind) -> Result<(), ManifestError> {
        let (config, layers) = (("config", self.config.is_some()), ("layers", self.layers.is_some()));
        let manifests = ("manifests", self.manifests.is_some());
        let (required, misplaced): (&[_], &[_]) = match kind {
            ManifestKind::Image => (&[config, layers], &[manifests]),
            ManifestKind::Index => (&[manifests], &[config, layers]),
            ManifestKind::Other => return Ok(()),
        };
        if let Some((field, _)) = required.iter().find(|(_, present)| !present) {
            return Err(ManifestError::MissingField(field));
        }
        // A manifest that is an image to one reader and an index to another is an attack (CVE-2021-41190).
        if let Some((field, _)) = misplaced.iter().find(|(_, present)| *present) {
            return Err(ManifestError::MisplacedField(field));
        }
        if self.schema_version != Some(2) {
            return Err(ManifestError::SchemaVersion);
        }
        Ok(())
    }
}

/// Why content is no manifest; the words are for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or a field has a wrong type.
    #[error("the manifest cannot be read: {0}; correct its JSON and push it again")]
    Json(String),
    /// Two readers could see two different manifests.
    #[error("the manifest has the key `{0}` twice: remove one of them")]
    DuplicateKey(String),
    /// Readers that do not look at the case of letters would take it for a field that is read here.
    #[error(
        "the manifest has the key `{key}`, which some clients take for `{field}`: write `{field}`, or leave it out"
    )]
    MistakableKey {
        /// The key.
        key: String,
        /// The field.
        field: &'static str,
    },
    /// The header and the body do not agree.
    #[error("the Content-Type is {header} but the manifest's mediaType is {body}: send both the same")]
    Contradiction {
        /// What the header said.
        header: MediaType,
        /// What the body said.
        body: MediaType,
    },
    /// Neither header nor body nor shape say what it is.
    #[error("the manifest's media type is not known: send a Content-Type")]
    NoMediaType,
    /// An image without config or layers, an index without entries.
    #[error(
        "the manifest lacks the field `{0}`: add it, or say with mediaType and Content-Type what this is"
    )]
    MissingField(&'static str),
    /// A field of the other kind.
    #[error(
        "a manifest of this media type must not have the field `{0}`: remove it, or say with mediaType and Content-Type what this is"
    )]
    MisplacedField(&'static str),
    /// `schemaVersion` is not 2.
    #[error("the manifest's schemaVersion must be 2: write that")]
    SchemaVersion,
    /// `artifactType` has a control character.
    #[error("the manifest's artifactType has a control character: write a media type")]
    ArtifactType,
    /// Docker's first format.
    #[error("Docker image manifest schema 1 is not supported: push with a Docker release from 2017 or later")]
    Schema1,
}

#[cfg(test)]
mod tests;
