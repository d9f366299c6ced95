//! What is kept although it follows from something else: damaged behind the port's back, found, and derived again.

use berth_domain::{Actor, Repository};
use berth_metadata::{
    Derived, Expected, ManifestDifference, Metadata as _, NewManifest, Pull, ReferenceReads as _,
    RepositorySums, Result, SumReads as _, Transaction,
};
use berth_oci::{Digest, Manifest};
use berth_testkit::Postgres;
use bytes::Bytes;
use futures::FutureExt as _;
use tempfile::TempDir;

use super::{NOW, blob, embedded, push, repository};
use crate::SqlMetadata;
use crate::statement::on_any;
use crate::transaction::SqlTransaction;

const CONTENT: Bytes = Bytes::from_static(
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
);

on_both!(
    sums_of_a_repository,
    links_and_sizes_of_a_blob,
    bytes_of_a_project,
    rows_of_a_manifest,
    roles_and_targets_that_no_release_wrote,
);

/// Runs a statement that no release would.
async fn damage(metadata: &SqlMetadata, text: &'static str) {
    let mut tx = metadata.transaction().await.unwrap();
    let change = async |tx: &mut SqlTransaction| -> Result<u64> { Ok(execute!(tx, on_any(text))) };
    assert!(change(&mut tx).await.unwrap() > 0, "{text}");
    Box::new(tx).commit().await.unwrap();
}

/// Does something in a transaction of its own.
macro_rules! within {
    ($metadata:expr, |$tx:ident| $act:expr) => {{
        let mut $tx = $metadata.begin().await.unwrap();
        let outcome = $act.await.unwrap();
        $tx.commit().await.unwrap();
        outcome
    }};
}

/// Adds a manifest that was pulled five times, and two tags on it.
async fn push_manifest(metadata: &SqlMetadata, repository: &Repository) {
    let manifest = Manifest::parse(&CONTENT, None).unwrap();
    let digest = Digest::sha256(&CONTENT);
    let new = NewManifest { digest, content: &CONTENT, manifest: &manifest };
    let mut tx = metadata.begin().await.unwrap();
    tx.add_manifest(repository, &new, &Actor::system(), NOW).await.unwrap();
    for tag in ["a", "b"] {
        let (tag, anything) = (tag.parse().unwrap(), Expected::Anything);
        tx.point_tag(repository, &tag, &digest, &anything, &Actor::system(), NOW).await.unwrap();
    }
    let pull = Pull { repository: repository.id, digest, count: 5, last_at: NOW };
    tx.record_pulls(&[pull]).await.unwrap();
    tx.commit().await.unwrap();
}

async fn sums(metadata: &SqlMetadata) -> RepositorySums {
    metadata.repository_sums(None, 1).await.unwrap().remove(0)
}

async fn sums_of_a_repository(metadata: SqlMetadata) {
    let (_, repository) = repository(&metadata).await;
    push_manifest(&metadata, &repository).await;
    let right = sums(&metadata).await;
    let wrong = |kept, actual| Derived { kept, actual };
    let cases = [
        (
            "UPDATE counters SET amount = amount + 3 WHERE kind = 2",
            RepositorySums { manifests: wrong(4, 1), ..right.clone() },
        ),
        (
            "INSERT INTO counters (kind, owner_id, slot, amount) VALUES (3, 1, 15, -9)",
            RepositorySums { tags: wrong(-7, 2), ..right.clone() },
        ),
        ("DELETE FROM counters WHERE kind = 4", RepositorySums { pulls: wrong(0, 5), ..right.clone() }),
        (
            "UPDATE repositories SET filled = FALSE",
            RepositorySums { filled: Derived { kept: false, actual: true }, ..right.clone() },
        ),
    ];
    for (text, wrong) in cases {
        damage(&metadata, text).await;
        assert_eq!(sums(&metadata).await, wrong, "{text}");
        let found = within!(metadata, |tx| tx.derive_repository(repository.id));
        assert_eq!(found, Some(wrong), "{text}");
        assert_eq!(sums(&metadata).await, right, "{text}");
    }
    // The other way round.
    damage(&metadata, "UPDATE manifests SET deleted_at = 1, deletion_id = digest").await;
    within!(metadata, |tx| tx.derive_repository(repository.id));
    let empty = sums(&metadata).await;
    assert_eq!(empty.manifests, Derived { kept: 0, actual: 0 });
    assert_eq!(empty.filled, Derived { kept: false, actual: false });
}

async fn links_and_sizes_of_a_blob(metadata: SqlMetadata) {
    let (project, repository) = repository(&metadata).await;
    let digest = push(&metadata, &repository, "content").await.unwrap();
    let wrong = |kept, actual| Derived { kept, actual };
    let cases = [
        ("UPDATE project_blobs SET links = links + 2", wrong(3, 1), wrong(7, 7)),
        ("UPDATE project_blobs SET size = 1000", wrong(1, 1), wrong(1000, 7)),
        ("UPDATE project_blobs SET size = 1, links = -4", wrong(-4, 1), wrong(1, 7)),
        ("DELETE FROM project_blobs", wrong(0, 1), wrong(7, 7)),
        ("UPDATE blob_links SET deleted_at = 1, deletion_id = digest", wrong(1, 0), wrong(7, 7)),
    ];
    for (text, links, size) in cases {
        damage(&metadata, text).await;
        let sums = metadata.project_blob(project.id, &digest).await.unwrap().unwrap();
        assert_eq!((sums.links, sums.size), (links, size), "{text}");
        assert_eq!(within!(metadata, |tx| tx.derive_project_blob(project.id, &digest)), Some(sums), "{text}");
        let listed = metadata.project_blobs(None, 9).await.unwrap();
        let [row] = listed[..] else { panic!("{text}: {listed:?}") };
        assert_eq!((row.links, row.size), (links.actual, wrong(7, 7)), "{text}");
    }
    // A row that is known to be damaged says nothing of the size.
    damage(&metadata, "UPDATE blobs SET size = 1, state = 2").await;
    let sums = metadata.project_blob(project.id, &digest).await.unwrap().unwrap();
    assert_eq!(sums.size, wrong(7, 7));
    assert_eq!(metadata.project_blobs(None, 9).await.unwrap()[0].size, wrong(7, 7));
}

async fn bytes_of_a_project(metadata: SqlMetadata) {
    let (project, repository) = repository(&metadata).await;
    for content in ["content", "more content"] {
        push(&metadata, &repository, content).await.unwrap();
    }
    let bytes = async || metadata.project_bytes(project.id).await.unwrap().unwrap().bytes;
    assert_eq!(bytes().await, Derived { kept: 19, actual: 19 });
    for (text, kept) in [
        (
            "UPDATE counters SET amount = amount - 20 WHERE kind = 1 AND slot = (SELECT MIN(slot) FROM counters)",
            -1,
        ),
        ("DELETE FROM counters WHERE kind = 1", 0),
    ] {
        damage(&metadata, text).await;
        assert_eq!(metadata.kept_bytes(None, 9).await.unwrap(), [(project.id, kept)], "{text}");
        let wrong = Derived { kept, actual: 19 };
        let found = within!(metadata, |tx| tx.derive_project_bytes(project.id)).unwrap();
        assert_eq!(found.bytes, wrong, "{text}");
        assert_eq!(bytes().await, Derived { kept: 19, actual: 19 }, "{text}");
        assert_eq!(metadata.kept_bytes(None, 9).await.unwrap(), [(project.id, 19)], "{text}");
    }
}

async fn rows_of_a_manifest(metadata: SqlMetadata) {
    let (_, repository) = repository(&metadata).await;
    let content: Bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"x/y","config":{0},"layers":[{0},{0}],"subject":{0},"annotations":{{"a":"b"}}}}"#,
        format_args!(r#"{{"mediaType":"x/z","digest":"{}","size":7}}"#, blob("content").digest)
    )
    .into();
    let manifest = Manifest::parse(&content, None).unwrap();
    let new = NewManifest { digest: Digest::sha256(&content), content: &content, manifest: &manifest };
    within!(metadata, |tx| tx.add_manifest(&repository, &new, &Actor::system(), NOW));
    let look = async || metadata.manifest_difference(repository.id, &new).await.unwrap();
    assert_eq!(look().await, None);
    let differs = |missing, surplus, fields: &[&'static str]| ManifestDifference {
        missing,
        surplus,
        fields: fields.to_vec(),
    };
    for (text, difference) in [
        ("DELETE FROM manifest_references WHERE position = 1", differs(1, 0, &[])),
        ("DELETE FROM manifest_references", differs(4, 0, &[])),
        (
            "INSERT INTO manifest_references (repository_id, manifest_id, position, role, target, size)
             SELECT repository_id, manifest_id, 9, role, target, size FROM manifest_references WHERE position = 0",
            differs(0, 1, &[]),
        ),
        ("UPDATE manifest_references SET role = 2 WHERE position = 2", differs(1, 1, &[])),
        ("UPDATE manifest_references SET size = 8 WHERE position = 3", differs(1, 1, &[])),
        ("UPDATE manifests SET subject = NULL", differs(0, 0, &["subject"])),
        ("UPDATE manifests SET size = 1, artifact_type = NULL", differs(0, 0, &["size", "artifact type"])),
        ("UPDATE manifests SET annotations = '{}'", differs(0, 0, &["annotations"])),
    ] {
        damage(&metadata, text).await;
        assert_eq!(look().await, Some(difference.clone()), "{text}");
        let derived = within!(metadata, |tx| tx.derive_references(&repository, &new, NOW));
        assert_eq!(derived, Some(difference), "{text}");
        assert_eq!(look().await, None, "{text}");
    }
}

async fn roles_and_targets_that_no_release_wrote(metadata: SqlMetadata) {
    let (_, repository) = repository(&metadata).await;
    push_manifest(&metadata, &repository).await;
    damage(
        &metadata,
        "INSERT INTO manifest_references (repository_id, manifest_id, position, role, target, size)
         SELECT repository_id, id, -1, 77, substr(digest, 1, 1), -1 FROM manifests",
    )
    .await;
    let manifest = Manifest::parse(&CONTENT, None).unwrap();
    let new = NewManifest { digest: Digest::sha256(&CONTENT), content: &CONTENT, manifest: &manifest };
    let difference = metadata.manifest_difference(repository.id, &new).await.unwrap().unwrap();
    assert_eq!((difference.missing, difference.surplus), (0, 1));
    within!(metadata, |tx| tx.derive_references(&repository, &new, NOW));
    assert_eq!(metadata.manifest_difference(repository.id, &new).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_pushed_while_sums_are_derived_is_counted_once() {
    let url = Postgres::shared().new_database();
    let metadata = SqlMetadata::open_postgres(&url, 8).await.unwrap();
    let (project, repository) = repository(&metadata).await;
    let digest = push(&metadata, &repository, "content").await.unwrap();
    for text in [
        "INSERT INTO counters (kind, owner_id, slot, amount) VALUES (2, 1, 15, -9), (3, 1, 15, 9), (1, 1, 15, 50)",
        "UPDATE project_blobs SET links = 7",
    ] {
        damage(&metadata, text).await;
    }
    // Begun before and ended after a push, and waited for by another one that does the same.
    let mut first = metadata.begin().await.unwrap();
    first.derive_project_blob(project.id, &digest).await.unwrap();
    first.derive_project_bytes(project.id).await.unwrap();
    first.derive_repository(repository.id).await.unwrap();
    push(&metadata, &repository, "more content").await.unwrap();
    push_manifest(&metadata, &repository).await;
    let second = async {
        let mut tx = metadata.begin().await.unwrap();
        let found = tx.derive_repository(repository.id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        found
    };
    let mut second = std::pin::pin!(second);
    for _ in 0..100 {
        assert!(second.as_mut().now_or_never().is_none(), "one at a time");
        metadata.check().await.unwrap();
    }
    first.commit().await.unwrap();
    let found = second.await;
    assert_eq!(found, sums(&metadata).await);
    assert_eq!(found.manifests, Derived { kept: 1, actual: 1 });
    assert_eq!(found.tags, Derived { kept: 2, actual: 2 });
    let bytes = metadata.project_bytes(project.id).await.unwrap().unwrap().bytes;
    assert_eq!(bytes, Derived { kept: 19, actual: 19 });
    let links = metadata.project_blob(project.id, &digest).await.unwrap().unwrap().links;
    assert_eq!(links, Derived { kept: 1, actual: 1 });
}
