//! An OCI image layout on disk, which most clients read and write.

use std::fs;
use std::path::{Path, PathBuf};

use berth_oci::{Digest, media_type};
use serde_json::{Value, json};

use crate::image::descriptor;
use crate::{Image, Index};

/// A layout folder.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Writes a layout with an image under a tag.
    pub fn of_image(folder: &Path, tag: &str, image: &Image) -> Self {
        let layout = Self { folder: folder.to_owned() };
        layout.add(image);
        layout.finish(media_type::OCI_MANIFEST, tag, image.manifest());
        layout
    }

    /// Writes a layout with an index under a tag.
    pub fn of_index(folder: &Path, tag: &str, index: &Index) -> Self {
        let layout = Self { folder: folder.to_owned() };
        index.images().iter().for_each(|image| layout.add(image));
        layout.write_blob(index.content());
        layout.finish(media_type::OCI_INDEX, tag, index.content());
        layout
    }

    /// A layout that a client wrote.
    pub fn open(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The digests that its `index.json` names.
    #[track_caller]
    pub fn roots(&self) -> Vec<String> {
        let text = fs::read(self.folder.join("index.json")).expect("a layout has an index.json");
        let index: Value = serde_json::from_slice(&text).expect("index.json is JSON");
        let manifests = index["manifests"].as_array().cloned().unwrap_or_default();
        manifests.iter().filter_map(|entry| Some(entry["digest"].as_str()?.to_owned())).collect()
    }

    /// Panics unless it holds the image, every byte of it.
    #[track_caller]
    pub fn assert_image(&self, image: &Image) {
        self.assert_blob(image.manifest());
        image.blobs().iter().for_each(|blob| self.assert_blob(blob));
    }

    /// Panics unless it holds the index and every image of it.
    #[track_caller]
    pub fn assert_index(&self, index: &Index) {
        self.assert_blob(index.content());
        index.images().iter().for_each(|image| self.assert_image(image));
    }

    #[track_caller]
    fn assert_blob(&self, content: &[u8]) {
        let path = self.blob_path(&Digest::sha256(content));
        let found = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(found == content, "{} came back changed", path.display());
    }

    /// Where a blob lies.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.to_string().replace(':', "/"))
    }

    fn add(&self, image: &Image) {
        self.write_blob(image.manifest());
        image.blobs().iter().for_each(|blob| self.write_blob(blob));
    }

    fn write_blob(&self, content: &[u8]) {
        let path = self.blob_path(&Digest::sha256(content));
        fs::create_dir_all(path.parent().expect("inside the layout")).expect("a layout can be written");
        fs::write(path, content).expect("a layout can be written");
    }

    fn finish(&self, media_type: &str, tag: &str, content: &[u8]) {
        let mut entry = descriptor(media_type, content);
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
        let index = json!({ "schemaVersion": 2, "manifests": [entry] });
        fs::write(self.folder.join("index.json"), index.to_string()).expect("a layout can be written");
        fs::write(self.folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
            .expect("a layout can be written");
    }
}
