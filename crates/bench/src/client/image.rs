//! Small images: a config, one layer of 20 KiB and a manifest, each unlike every other.

use std::time::Instant;

use berth_oci::Digest;

use super::push::{close, open};
use super::together::together;
use crate::content::noise;
use crate::http::{Connection, Endpoint};

const LAYER: usize = 20 * 1024;
/// The media type of every manifest here.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// How the blobs of an image are pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// POST, then PUT with the bytes, as containerd, buildkit and oras do.
    Put,
    /// POST, PATCH with the bytes, then an empty PUT, as docker and skopeo do.
    Patch,
}

/// A small image.
#[derive(Debug)]
pub(crate) struct Image {
    config: Vec<u8>,
    layer: Vec<u8>,
    manifest: Vec<u8>,
}

impl Image {
    /// The image of that number; the same number always gives the same image.
    pub(crate) fn new(number: u64) -> Self {
        let layer = noise(number, LAYER);
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Env":["NUMBER={number}"]}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::sha256(&layer)
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST_TYPE}","config":{},"layers":[{}]}}"#,
            descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            descriptor("application/vnd.oci.image.layer.v1.tar", &layer)
        );
        Self { config: config.into_bytes(), layer, manifest: manifest.into_bytes() }
    }

    /// The bytes of the manifest.
    pub(crate) fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Pushes config, layer and manifest and points `tag` at it.
    pub(crate) fn push(
        &self,
        connection: &mut Connection,
        repository: &str,
        tag: &str,
        way: Way,
    ) -> anyhow::Result<()> {
        for blob in [&self.config, &self.layer] {
            push_blob(connection, repository, blob, way)?;
        }
        let target = format!("/v2/{repository}/manifests/{tag}");
        let headers = format!("Content-Type: {MANIFEST_TYPE}\r\n");
        let (head, _) = connection.exchange("PUT", &target, &headers, &self.manifest)?;
        head.expect(201, "PUT of a manifest")?;
        Ok(())
    }
}

fn descriptor(media_type: &str, content: &[u8]) -> String {
    let digest = Digest::sha256(content);
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}"#, content.len())
}

fn push_blob(connection: &mut Connection, repository: &str, blob: &[u8], way: Way) -> anyhow::Result<()> {
    let session = open(connection, repository)?;
    let digest = Digest::sha256(blob);
    if way == Way::Put {
        return close(connection, &session, &digest, blob);
    }
    let headers = "Content-Type: application/octet-stream\r\n";
    let (head, _) = connection.exchange("PATCH", &session, headers, blob)?;
    let head = head.expect(202, "PATCH")?;
    close(connection, head.target()?, &digest, &[])
}

/// Pushes images until `deadline`, unique for each pusher; how many were pushed.
pub(crate) fn many(
    endpoint: &Endpoint,
    repository: &str,
    way: Way,
    pushers: u64,
    deadline: Instant,
) -> anyhow::Result<u64> {
    let pushed = together(pushers, |pusher| {
        let mut connection = endpoint.log_in()?;
        let mut count = 0;
        while Instant::now() < deadline {
            let image = Image::new((pusher << 32) + count);
            image.push(&mut connection, repository, &format!("p{pusher}-{count}"), way)?;
            count += 1;
        }
        Ok(count)
    })?;
    Ok(pushed.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_always_gives_the_same_image_and_each_its_own() {
        assert_eq!(Image::new(3).manifest(), Image::new(3).manifest());
        assert_ne!(Image::new(3).manifest(), Image::new(4).manifest());
        berth_oci::Manifest::parse(Image::new(3).manifest(), None).unwrap();
    }
}
