//! Sums and what they follow from.

use berth_domain::{ProjectId, RepositoryId};
use berth_oci::Digest;

use super::scene::{Scene, act, at, begin, image, somebody, tag};
use crate::{
    Derived, Expected, Metadata, ProjectBlob, ProjectBlobPosition, ProjectBlobSums, Pull, RepositorySums,
};

const fn same<T: Copy>(value: T) -> Derived<T> {
    Derived { kept: value, actual: value }
}

async fn sums_of(metadata: &dyn Metadata, repository: RepositoryId) -> Option<RepositorySums> {
    let sums = metadata.repository_sums(Some(RepositoryId(repository.0 - 1)), 1).await.expect("a list");
    sums.into_iter().find(|sums| sums.repository.id == repository)
}

async fn all_project_blobs(metadata: &dyn Metadata, limit: u32) -> Vec<ProjectBlob> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = metadata.project_blobs(after.as_ref(), limit).await.expect("a list");
        let Some(last) = page.last() else { return all };
        after = Some(ProjectBlobPosition { digest: last.digest, project: last.project });
        all.extend(page);
    }
}

/// The links and the size that are kept of a blob of a project, and the actual ones.
async fn share(metadata: &dyn Metadata, project: ProjectId, digest: &Digest) -> (Derived<i64>, Derived<i64>) {
    let sums =
        metadata.project_blob(project, digest).await.expect("an answer").expect("the project is there");
    (sums.links, sums.size)
}

pub(super) async fn a_repository_has_its_sums(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "sums").await;
    let (metadata, id) = (scene.metadata, scene.repository.id);
    let nothing = RepositorySums {
        repository: scene.repository.clone(),
        manifests: same(0),
        tags: same(0),
        pulls: same(0),
        filled: same(false),
    };
    assert_eq!(sums_of(metadata, id).await, Some(nothing.clone()));
    let digest = scene.push(&image("sums", &[], None, None), &["a", "b", "c"]).await;
    let other = scene.push(&image("other sums", &[], None, None), &[]).await;
    let mut tx = scene.begin().await;
    tx.record_pulls(&[Pull { repository: id, digest: other, count: 5, last_at: at(1) }])
        .await
        .expect("counted");
    tx.delete_tag(&scene.repository, &tag("c"), &Expected::Anything, &act("a summed tag", 2))
        .await
        .expect("deleted");
    tx.commit().await.expect("a commit");
    scene.delete(&other, &act("a summed manifest", 3)).await.expect("it was there");
    let some = RepositorySums {
        manifests: same(1),
        tags: same(2),
        pulls: same(5),
        filled: same(true),
        ..nothing.clone()
    };
    assert_eq!(sums_of(metadata, id).await, Some(some.clone()));
    // What is right stays so.
    let mut tx = scene.begin().await;
    assert_eq!(tx.derive_repository(id).await.expect("an answer"), Some(some.clone()));
    tx.commit().await.expect("a commit");
    assert_eq!(sums_of(metadata, id).await, Some(some));

    scene.delete(&digest, &act("the last summed manifest", 4)).await.expect("it was there");
    assert_eq!(sums_of(metadata, id).await, Some(RepositorySums { pulls: same(5), ..nothing }));
    let mut tx = scene.begin().await;
    tx.delete_repository(&scene.repository, &act("summed", 5)).await.expect("deleted");
    assert_eq!(tx.derive_repository(id).await.expect("an answer"), None);
    tx.commit().await.expect("a commit");
    assert_eq!(sums_of(metadata, id).await, None);
}

pub(super) async fn all_repositories_are_listed_by_number(metadata: &dyn Metadata) {
    let mut made = Vec::new();
    for name in ["sums/c", "sums/a", "sums/b"] {
        made.push(Scene::new(metadata, name).await.repository);
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = metadata.repository_sums(after, 2).await.expect("a list");
        let Some(last) = page.last() else { break };
        after = Some(last.repository.id);
        listed.extend(page.into_iter().map(|sums| sums.repository));
    }
    assert!(listed.is_sorted_by_key(|repository| repository.id));
    listed.retain(|repository| made.contains(repository));
    assert_eq!(listed, made);
}

pub(super) async fn links_and_sizes_are_those_of_the_rows(metadata: &dyn Metadata) {
    let one = Scene::within(metadata, "shares", "one").await;
    let two = Scene::within(metadata, "shares", "two").await;
    let other = Scene::within(metadata, "shares-of-another", "x").await;
    let digest = one.push_blob("a shared blob").await;
    two.push_blob("a shared blob").await;
    other.push_blob("a shared blob").await;
    let gone = one.push_blob("a blob that goes").await;
    one.unlink(&gone, &act("a share", 1)).await;
    assert_eq!(share(metadata, one.project.id, &digest).await, (same(2), same(13)));
    assert_eq!(share(metadata, other.project.id, &digest).await, (same(1), same(13)));
    assert_eq!(share(metadata, one.project.id, &gone).await, (same(0), same(16)));
    assert_eq!(share(metadata, other.project.id, &gone).await, (same(0), same(16)));
    assert_eq!(metadata.project_blob(ProjectId(i64::MAX), &digest).await.expect("an answer"), None);

    let row = |project, digest, links, size| ProjectBlob { digest, project, links, size: same(size) };
    let mut expected = [
        row(one.project.id, digest, 2, 13),
        row(other.project.id, digest, 1, 13),
        row(one.project.id, gone, 0, 16),
    ];
    expected.sort_by_key(|row| (row.digest, row.project));
    for limit in [1, 2, 1000] {
        let mut all = all_project_blobs(metadata, limit).await;
        assert!(all.is_sorted_by_key(|row| (row.digest, row.project)));
        all.retain(|row| row.project == one.project.id || row.project == other.project.id);
        assert_eq!(all, expected);
    }
    let bytes = metadata.kept_bytes(Some(ProjectId(one.project.id.0 - 1)), 1).await.expect("a list");
    assert_eq!(bytes, [(one.project.id, 13)]);
    let bytes = metadata.project_bytes(one.project.id).await.expect("an answer").expect("it is there");
    assert_eq!((bytes.project, bytes.bytes), (one.project.name.clone(), same(13)));
}

pub(super) async fn what_deleted_repositories_hold_is_not_counted(metadata: &dyn Metadata) {
    let one = Scene::within(metadata, "unshares", "one").await;
    let two = Scene::within(metadata, "unshares", "two").await;
    let digest = one.push_blob("a blob unshared").await;
    two.push_blob("a blob unshared").await;
    for (scene, links, bytes) in [(&two, 1, 15), (&one, 0, 0)] {
        let mut tx = scene.begin().await;
        tx.delete_repository(&scene.repository, &act(scene.repository.name.as_str(), 2))
            .await
            .expect("deleted");
        tx.commit().await.expect("a commit");
        assert_eq!(share(metadata, one.project.id, &digest).await, (same(links), same(15)));
        let looked = metadata.project_bytes(one.project.id).await.expect("an answer").expect("it is there");
        assert_eq!(looked.bytes, same(bytes));
    }
}

pub(super) async fn wrong_links_and_sizes_are_derived_again(metadata: &dyn Metadata) {
    let scene = Scene::within(metadata, "wrong-shares", "x").await;
    let other = Scene::within(metadata, "wrong-shares-of-another", "x").await;
    let digest = scene.push_blob("a wrong share").await;
    // A link that is counted for another project, and with another size.
    let mut lie = other.repository.clone();
    lie.project_id = scene.project.id;
    let mut tx = scene.begin().await;
    tx.link_blob(&lie, &digest, 13, &somebody(), at(1)).await.expect("a link");
    let unknown = Digest::sha256(b"nobody knows this");
    tx.link_blob(&other.repository, &unknown, 5, &somebody(), at(1)).await.expect("a link");
    let sized = super::scene::blob("sized wrongly");
    tx.add_blob(&sized, at(1)).await.expect("a blob");
    tx.link_blob(&other.repository, &sized.digest, 1000, &somebody(), at(1)).await.expect("a link");
    tx.commit().await.expect("a commit");

    let differs = |kept, actual| Derived { kept, actual };
    let (here, there) = (scene.project.id, other.project.id);
    let found = [
        (here, digest, differs(2, 1), same(13)),
        (there, digest, differs(0, 1), same(13)),
        (there, unknown, same(1), same(5)),
        (there, sized.digest, same(1), differs(1000, 13)),
    ];
    for (project, digest, links, size) in found {
        assert_eq!(share(metadata, project, &digest).await, (links, size));
        let mut tx = begin(metadata).await;
        let derived = tx.derive_project_blob(project, &digest).await.expect("an answer");
        tx.commit().await.expect("a commit");
        let name = if project == here { &scene.project.name } else { &other.project.name };
        assert_eq!(derived, Some(ProjectBlobSums { project: name.clone(), links, size }));
        let right = (same(links.actual), same(size.actual));
        assert_eq!(share(metadata, project, &digest).await, right);
    }
    for (project, bytes) in [(here, same(13)), (there, differs(1005, 13 + 5 + 13))] {
        let looked = metadata.project_bytes(project).await.expect("an answer").expect("it is there");
        assert_eq!(looked.bytes, bytes);
        let mut tx = begin(metadata).await;
        assert_eq!(tx.derive_project_bytes(project).await.expect("an answer"), Some(looked));
        tx.commit().await.expect("a commit");
        let looked = metadata.project_bytes(project).await.expect("an answer").expect("it is there");
        assert_eq!(looked.bytes, same(bytes.actual));
    }
}
