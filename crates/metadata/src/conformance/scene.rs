//! The scene of a case: a repository of its own, and builders of what is put into it.

use berth_domain::{Actor, ActorKind, DeletionId, Location, Project, Repository, Timestamp, UserId};
use berth_oci::{Digest, Manifest, ProjectName, Tag};
use bytes::Bytes;
use uuid::Uuid;

use crate::certain::certain;
use crate::{
    Blob, BlobState, Deletion, Error, Expected, Metadata, NewManifest, Place, Result, StoredManifest,
    Transaction,
};

/// A media type that says nothing.
pub(super) const ANY: &str = "application/octet-stream";

/// A repository to work in.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) metadata: &'a dyn Metadata,
    pub(super) project: Project,
    pub(super) repository: Repository,
}

/// Moment `n` of the tests' time.
pub(super) const fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_001 + n)
}

/// Somebody.
pub(super) fn somebody() -> Actor {
    Actor { kind: ActorKind::Robot, id: 42, name: "robot$ci ünï".to_owned() }
}

pub(super) fn tag(name: &str) -> Tag {
    name.parse().expect("a valid tag")
}

/// An act of deletion, named by what it is about.
pub(super) fn act(about: &str, n: i64) -> Deletion {
    Deletion { id: DeletionId(uuid(about)), by: somebody(), at: at(n) }
}

/// A UUID that depends on nothing but `about`.
pub(super) fn uuid(about: &str) -> Uuid {
    Uuid::from_slice(&Digest::sha256(about.as_bytes()).hash()[..16]).expect("sixteen bytes")
}

/// A blob whose content is its name, in storage.
pub(super) fn blob(content: &str) -> Blob {
    let place = Place::At(Location::new(format!("test:{content}")));
    Blob {
        digest: Digest::sha256(content.as_bytes()),
        size: content.len() as u64,
        place,
        state: BlobState::Ok,
    }
}

/// An image manifest over blobs that are named by their content.
pub(super) fn image(
    config: &str,
    layers: &[&str],
    subject: Option<Digest>,
    annotation: Option<&str>,
) -> Bytes {
    let descriptor = |content: &str| descriptor(&Digest::sha256(content.as_bytes()), content.len());
    let layers: Vec<String> = layers.iter().map(|layer| descriptor(layer)).collect();
    let subject = subject.map(|digest| format!(r#","subject":{}"#, self::descriptor(&digest, 7)));
    let annotations = annotation.map(|value| format!(r#","annotations":{{"said":"{value}"}}"#));
    let content = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]{}{}}}"#,
        descriptor(config),
        layers.join(","),
        subject.unwrap_or_default(),
        annotations.unwrap_or_default(),
    );
    content.into()
}

/// An index over manifests.
pub(super) fn index(entries: &[Digest]) -> Bytes {
    let entries: Vec<String> = entries
        .iter()
        .map(|entry| descriptor(entry, 5).replace(ANY, "application/vnd.oci.image.manifest.v1+json"))
        .collect();
    let media_type = "application/vnd.oci.image.index.v1+json";
    format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{}]}}"#, entries.join(",")).into()
}

fn descriptor(digest: &Digest, size: usize) -> String {
    format!(r#"{{"mediaType":"{ANY}","digest":"{digest}","size":{size}}}"#)
}

impl<'a> Scene<'a> {
    /// A repository `conformance/<name>`.
    pub(super) async fn new(metadata: &'a dyn Metadata, name: &str) -> Scene<'a> {
        Self::within(metadata, "conformance", name).await
    }

    /// A repository of some project.
    pub(super) async fn within(metadata: &'a dyn Metadata, project: &str, name: &str) -> Scene<'a> {
        let (project, name) = (
            project.parse().expect("a valid name"),
            format!("{project}/{name}").parse().expect("a valid name"),
        );
        let mut tx = begin(metadata).await;
        let project = project_in(&mut *tx, &project).await.expect("a project");
        let repository = tx.ensure_repository(&project, &name, &somebody(), at(0)).await;
        let repository = repository.expect("a repository");
        tx.commit().await.expect("a commit");
        Scene { metadata, project, repository }
    }

    /// Opens a transaction.
    pub(super) async fn begin(&self) -> Box<dyn Transaction> {
        begin(self.metadata).await
    }

    /// Adds and links a blob whose content is its name.
    pub(super) async fn push_blob(&self, content: &str) -> Digest {
        let blob = blob(content);
        let push = async {
            let mut tx = self.begin().await;
            tx.add_blob(&blob, at(0)).await.expect("a blob");
            let linked = tx.link_blob(&self.repository, &blob.digest, blob.size, &somebody(), at(0)).await;
            linked.expect("a link");
            tx.commit().await.expect("a commit");
        };
        together(push).await;
        blob.digest
    }

    /// Adds a manifest, and tags on it.
    pub(super) async fn push(&self, content: &Bytes, tags: &[&str]) -> Digest {
        let push = async {
            let mut tx = self.begin().await;
            let digest = self.push_in(&mut *tx, content, tags, 0).await.expect("a push");
            tx.commit().await.expect("a commit");
            digest
        };
        together(push).await
    }

    /// The same within a transaction, at moment `n`.
    pub(super) async fn push_in(
        &self,
        tx: &mut dyn Transaction,
        content: &Bytes,
        tags: &[&str],
        n: i64,
    ) -> Result<Digest> {
        let manifest = Manifest::parse(content, None).expect("a valid manifest");
        let digest = Digest::sha256(content);
        let new = NewManifest { digest, content, manifest: &manifest };
        tx.add_manifest(&self.repository, &new, &somebody(), at(n)).await?;
        for name in tags {
            let expected = Expected::Anything;
            tx.point_tag(&self.repository, &tag(name), &digest, &expected, &somebody(), at(n)).await?;
        }
        Ok(digest)
    }

    /// Deletes a manifest.
    pub(super) async fn delete(&self, digest: &Digest, act: &Deletion) -> Option<Vec<Tag>> {
        let mut tx = self.begin().await;
        let tags = tx.delete_manifest(&self.repository, digest, act).await.expect("a deletion");
        tx.commit().await.expect("a commit");
        tags
    }

    /// Takes a blob out.
    pub(super) async fn unlink(&self, digest: &Digest, act: &Deletion) -> bool {
        let mut tx = self.begin().await;
        let unlinked = tx.unlink_blob(&self.repository, digest, act).await.expect("an answer");
        tx.commit().await.expect("a commit");
        unlinked
    }

    /// Names of live tags.
    pub(super) async fn tags(&self) -> Vec<String> {
        let tags = self.metadata.tags(self.repository.id, None, 1000).await.expect("a list");
        tags.iter().map(ToString::to_string).collect()
    }

    /// The manifest that a tag names, whole.
    pub(super) async fn manifest_by_tag(&self, name: &str) -> Option<StoredManifest> {
        let found = self.metadata.manifest_by_tag(self.repository.id, &tag(name), u64::MAX).await;
        found.expect("an answer").map(|found| found.whole().expect("all bytes were wanted"))
    }
}

/// The live project of that name, made now, private and account 1's, if there is none.
pub(super) async fn project_in(tx: &mut dyn Transaction, name: &ProjectName) -> Result<Project> {
    tx.add_project(name, false, UserId::ADMIN, None, &somebody(), at(0)).await?;
    tx.find_project(name).await?.ok_or(Error::Conflict)
}

/// Does the work as one attempt: its transactions may commit together with others'.
pub(super) async fn together<T>(work: impl Future<Output = T>) -> T {
    let attempt = certain(async { Ok::<_, Error>(work.await) });
    attempt.await.expect("what it saw came to be")
}

/// Opens a transaction.
pub(super) async fn begin(metadata: &dyn Metadata) -> Box<dyn Transaction> {
    metadata.begin().await.expect("a transaction")
}

/// Whether the transaction lost against another one; panics at any other error.
pub(super) fn lost<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(Error::Conflict) => None,
        Err(error) => panic!("neither done nor lost: {error:?}"),
    }
}
