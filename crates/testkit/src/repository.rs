//! A plain client of one repository: the requests of the specification, one connection each, so that a server may die at any time.

use std::io::{self, Read};

use berth_oci::{Digest, media_type};

use crate::{Connection, Image, Index, Request, Response};

/// What clients of today accept.
const ACCEPTED: [&str; 4] =
    [media_type::OCI_MANIFEST, media_type::OCI_INDEX, media_type::DOCKER_MANIFEST, media_type::DOCKER_LIST];

/// A repository as a client sees it.
#[derive(Clone, Debug)]
pub struct Repository {
    address: String,
    name: String,
}

impl Repository {
    /// The repository `name` at `host:port`.
    pub fn new(address: &str, name: &str) -> Self {
        Self { address: address.into(), name: name.into() }
    }

    /// `/v2/<name>/<rest>`.
    pub fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name)
    }

    /// One request.
    pub fn ask(&self, request: &Request) -> io::Result<Response> {
        Connection::open(&self.address)?.ask(request)
    }

    /// Opens an upload.
    pub fn open_upload(&self) -> io::Result<Upload> {
        self.upload(&self.ask(&Request::post(self.path("blobs/uploads/")))?)
    }

    /// The upload that this answer opened.
    pub fn upload(&self, opened: &Response) -> io::Result<Upload> {
        let location = require(opened, 202, "location")?;
        Ok(Upload { address: self.address.clone(), location })
    }

    /// Pushes a blob in one POST and one PUT.
    pub fn push_blob(&self, content: &[u8]) -> io::Result<Digest> {
        let digest = Digest::sha256(content);
        let mut upload = self.open_upload()?;
        accept(upload.close(&digest, content)?, 201)?;
        Ok(digest)
    }

    /// Pushes a blob as docker does: POST, one chunked PATCH of unknown length, an empty PUT.
    pub fn push_stream(&self, digest: &Digest, body: &mut dyn Read) -> io::Result<()> {
        let mut upload = self.open_upload()?;
        let mut connection = Connection::open(&self.address)?;
        let answer = connection.stream(&Request::patch(&upload.location), body)?;
        upload.location = require(&answer, 202, "location")?;
        accept(upload.close(digest, b"")?, 201).map(drop)
    }

    /// Pushes a manifest.
    pub fn push_manifest(&self, reference: &str, media_type: &str, content: &[u8]) -> io::Result<Response> {
        let request = Request::put(self.path(&format!("manifests/{reference}")));
        accept(self.ask(&request.header("Content-Type", media_type).body(content))?, 201)
    }

    /// Pushes an image with all its blobs.
    pub fn push_image(&self, reference: &str, image: &Image) -> io::Result<Digest> {
        for blob in image.blobs() {
            self.push_blob(blob)?;
        }
        self.push_manifest(reference, media_type::OCI_MANIFEST, image.manifest())?;
        Ok(image.digest())
    }

    /// Pushes an index with all its images.
    pub fn push_index(&self, reference: &str, index: &Index) -> io::Result<Digest> {
        for image in index.images() {
            self.push_image(&image.digest().to_string(), image)?;
        }
        self.push_manifest(reference, media_type::OCI_INDEX, index.content())?;
        Ok(index.digest())
    }

    /// A manifest, or whatever the answer is.
    pub fn manifest(&self, reference: &str) -> io::Result<Response> {
        let request = Request::get(self.path(&format!("manifests/{reference}")));
        self.ask(&request.header("Accept", ACCEPTED.join(", ")))
    }

    /// A blob, or whatever the answer is.
    pub fn blob(&self, digest: &Digest) -> io::Result<Response> {
        self.ask(&Request::get(self.path(&format!("blobs/{digest}"))))
    }

    /// A part of a blob: `bytes=first-last`, with `last` left out for an open end.
    pub fn blob_range(&self, digest: &Digest, first: u64, last: Option<u64>) -> io::Result<Response> {
        let last = last.map(|last| last.to_string()).unwrap_or_default();
        let request = Request::get(self.path(&format!("blobs/{digest}")));
        self.ask(&request.header("Range", format!("bytes={first}-{last}")))
    }

    /// Deletes a tag or a manifest.
    pub fn delete_manifest(&self, reference: &str) -> io::Result<Response> {
        self.ask(&Request::delete(self.path(&format!("manifests/{reference}"))))
    }

    /// All tags.
    pub fn tags(&self) -> io::Result<Vec<String>> {
        let answer = accept(self.ask(&Request::get(self.path("tags/list")))?, 200)?;
        let tags = answer.json()["tags"].as_array().cloned().unwrap_or_default();
        Ok(tags.iter().filter_map(|tag| Some(tag.as_str()?.to_owned())).collect())
    }

    /// Panics unless the image is there, under the reference and whole.
    #[track_caller]
    pub fn assert_image(&self, reference: &str, image: &Image) {
        let manifest = self.manifest(reference).expect("the server answers").expect(200);
        assert!(manifest.body == image.manifest(), "the manifest {reference} came back changed");
        assert_eq!(manifest.header("docker-content-digest"), Some(image.digest().to_string().as_str()));
        for blob in image.blobs() {
            let found = self.blob(&Digest::sha256(blob)).expect("the server answers").expect(200);
            assert!(found.body == *blob, "a blob of {reference} came back changed");
        }
    }
}

/// An open upload session.
#[derive(Clone, Debug)]
pub struct Upload {
    address: String,
    /// Where it goes on.
    pub location: String,
}

impl Upload {
    /// The same session, reached at another `host:port`.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { address: address.into(), location: self.location.clone() }
    }

    /// Appends a chunk at an offset.
    pub fn append(&mut self, offset: u64, chunk: &[u8]) -> io::Result<Response> {
        let last = (offset + chunk.len() as u64).saturating_sub(1);
        let request = Request::patch(&self.location).header("Content-Range", format!("{offset}-{last}"));
        let answer = Connection::open(&self.address)?.ask(&request.body(chunk))?;
        if let Some(location) = answer.header("location") {
            location.clone_into(&mut self.location);
        }
        Ok(answer)
    }

    /// How many bytes the server has.
    pub fn offset(&mut self) -> io::Result<u64> {
        let answer = Connection::open(&self.address)?.ask(&Request::get(&self.location))?;
        self.location = require(&answer, 204, "location")?;
        let range = require(&answer, 204, "range")?;
        let last: u64 = range.split('-').next_back().and_then(|last| last.parse().ok()).unwrap_or_default();
        // An empty session says 0-0, as one that has a single byte does.
        Ok(if last == 0 { 0 } else { last + 1 })
    }

    /// Closes it with the last bytes.
    pub fn close(&mut self, digest: &Digest, rest: &[u8]) -> io::Result<Response> {
        let separator = if self.location.contains('?') { '&' } else { '?' };
        let request = Request::put(format!("{}{separator}digest={digest}", self.location));
        Connection::open(&self.address)?
            .ask(&request.header("Content-Type", "application/octet-stream").body(rest))
    }
}

/// The answer, if its status is as expected.
fn accept(answer: Response, status: u16) -> io::Result<Response> {
    if answer.status == status {
        return Ok(answer);
    }
    Err(io::Error::other(format!("status {} instead of {status}: {}", answer.status, answer.text())))
}

fn require(answer: &Response, status: u16, header: &str) -> io::Result<String> {
    if answer.status != status {
        return Err(io::Error::other(format!(
            "status {} instead of {status}: {}",
            answer.status,
            answer.text()
        )));
    }
    let value = answer.header(header).map(str::to_owned);
    value.ok_or_else(|| io::Error::other(format!("the answer has no {header}")))
}
