//! Images and indexes, made of bytes.

use berth_oci::{Digest, media_type};
use serde_json::{Value, json};

use crate::{random_bytes, tar_of};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image: its manifest, its config, its layers, as exact bytes.
#[derive(Clone, Debug)]
pub struct Image {
    manifest: Vec<u8>,
    /// The config first, then the layers.
    blobs: Vec<Vec<u8>>,
}

impl Image {
    /// An image for linux/amd64 of one layer that holds the file `payload` with `len` random bytes.
    pub fn random(seed: u64, len: usize) -> Self {
        let payload = random_bytes(seed, len);
        Self::of("amd64", &[tar_of(&[("payload", &payload)])])
    }

    /// An image of uncompressed layers for an architecture.
    pub fn of(architecture: &str, layers: &[Vec<u8>]) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|layer| Digest::sha256(layer).to_string()).collect();
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = serde_json::to_vec(&config).expect("JSON can be written");
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER, layer)).collect::<Vec<_>>(),
        });
        let manifest = serde_json::to_vec(&manifest).expect("JSON can be written");
        let blobs = std::iter::once(config).chain(layers.iter().cloned()).collect();
        Self { manifest, blobs }
    }

    /// The manifest's bytes.
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The manifest's digest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.manifest)
    }

    /// The config and the layers.
    pub fn blobs(&self) -> &[Vec<u8>] {
        &self.blobs
    }

    /// The layers.
    pub fn layers(&self) -> &[Vec<u8>] {
        &self.blobs[1..]
    }
}

/// An index of images for several platforms.
#[derive(Clone, Debug)]
pub struct Index {
    content: Vec<u8>,
    images: Vec<Image>,
}

impl Index {
    /// An index of random images for amd64 and arm64.
    pub fn random(seed: u64, len: usize) -> Self {
        let architectures = ["amd64", "arm64"];
        let image = |(architecture, seed): (&str, u64)| {
            let payload = random_bytes(seed, len);
            Image::of(architecture, &[tar_of(&[("payload", &payload)])])
        };
        let images: Vec<_> = architectures.into_iter().zip(seed * 1000..).map(image).collect();
        let entry = |(image, architecture): (&Image, &str)| {
            let mut entry = descriptor(media_type::OCI_MANIFEST, image.manifest());
            entry["platform"] = json!({ "os": "linux", "architecture": architecture });
            entry
        };
        let index = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": images.iter().zip(architectures).map(entry).collect::<Vec<_>>(),
        });
        Self { content: serde_json::to_vec(&index).expect("JSON can be written"), images }
    }

    /// The index's bytes.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The index's digest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.content)
    }

    /// Its images.
    pub fn images(&self) -> &[Image] {
        &self.images
    }
}

pub(crate) fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(content).to_string(), "size": content.len() })
}
