//! Pull counts.

use berth_domain::RepositoryId;
use berth_oci::Digest;

use super::scene::{Scene, act, at, image};
use crate::{Metadata, Pull};

pub(super) async fn pulls_of_gone_manifests_are_passed_over(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "pulls").await;
    let id = scene.repository.id;
    let live = scene.push(&image("live", &[], None, None), &[]).await;
    let gone = scene.push(&image("gone", &[], None, None), &[]).await;
    scene.delete(&gone, &act("pulls", 1)).await;
    let pull = |repository, digest, count, n| Pull { repository, digest, count, last_at: at(n) };
    let batch = [
        pull(id, live, 3, 5),
        pull(id, gone, 1, 5),
        pull(id, live, 2, 4),
        pull(RepositoryId(i64::MAX), live, 1, 5),
        pull(id, Digest::sha256(b"never pushed"), 1, 5),
    ];
    let mut tx = scene.begin().await;
    tx.record_pulls(&batch).await.expect("no error");
    tx.record_pulls(&batch[..1]).await.expect("no error");
    tx.record_pulls(&batch[1..2]).await.expect("no error");
    tx.record_pulls(&[]).await.expect("no error");
    tx.commit().await.expect("a commit");
}
