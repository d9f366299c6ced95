//! The review queue.

use std::time::Duration;

use berth_domain::Timestamp;
use berth_oci::Digest;

use super::scene::{Scene, act, at, image, index, somebody, tag};
use crate::{Expected, Metadata, Review, ReviewSubject};

pub(super) const DAY: Duration = Duration::from_hours(24);

/// When the queue wants something looked at.
pub(super) async fn queued(metadata: &dyn Metadata, subject: &ReviewSubject) -> Option<Timestamp> {
    let end = Timestamp::from_micros(i64::MAX);
    let queue = metadata.reviews(end, 1_000_000).await.expect("a list");
    assert!(queue.is_sorted_by_key(|review| review.review_after));
    let found: Vec<&Review> = queue.iter().filter(|review| review.subject == *subject).collect();
    assert!(found.len() <= 1, "{subject:?} is queued twice");
    found.first().map(|review| review.review_after)
}

/// Does something in a transaction at moment `n`, and looks at what was queued by it.
macro_rules! after {
    ($scene:ident, |$tx:ident| $act:expr, $n:expr, $($subject:expr),+) => {{
        let mut $tx = $scene.begin().await;
        $act.await.expect("no error");
        $tx.commit().await.expect("a commit");
        $(assert_eq!(queued($scene.metadata, &$subject).await, Some(at($n).plus(DAY)), "{:?}", $subject);)+
    }};
}

pub(super) async fn every_change_of_a_reference_is_queued(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "queue").await;
    let id = scene.repository.id;
    let manifest = |digest: Digest| ReviewSubject::Manifest(id, digest);
    let layer = scene.push_blob("queued layer").await;
    let config = scene.push_blob("queued config").await;
    assert_eq!(queued(metadata, &ReviewSubject::Blob(layer)).await, Some(at(0).plus(DAY)));

    let content = image("queued config", &["queued layer"], None, None);
    let digest = Digest::sha256(&content);
    after!(scene, |tx| scene.push_in(&mut *tx, &content, &[], 1), 1, manifest(digest));
    let child = index(&[digest]);
    let parent = Digest::sha256(&child);
    after!(scene, |tx| scene.push_in(&mut *tx, &child, &["t"], 2), 2, manifest(parent));
    let referrer = scene.push(&image("c", &[], Some(parent), None), &[]).await;

    // The tag leaves the index for the image.
    let (name, anything, by) = (tag("t"), Expected::Anything, somebody());
    after!(
        scene,
        |tx| tx.point_tag(&scene.repository, &name, &digest, &anything, &by, at(3)),
        3,
        manifest(parent)
    );
    let gone = act("queue: tag", 4);
    after!(scene, |tx| tx.delete_tag(&scene.repository, &name, &anything, &gone), 4, manifest(digest));
    // The index goes: its entry may be unreferenced now, and what is about it has lost its subject.
    let gone = act("queue: index", 5);
    after!(
        scene,
        |tx| tx.delete_manifest(&scene.repository, &parent, &gone),
        5,
        manifest(digest),
        manifest(parent),
        manifest(referrer)
    );
    let gone = act("queue: image", 6);
    after!(
        scene,
        |tx| tx.delete_manifest(&scene.repository, &digest, &gone),
        6,
        ReviewSubject::Blob(layer),
        ReviewSubject::Blob(config)
    );
    let unlinked = act("queue: link", 7);
    after!(scene, |tx| tx.unlink_blob(&scene.repository, &layer, &unlinked), 7, ReviewSubject::Blob(layer));
    after!(
        scene,
        |tx| tx.restore(&scene.repository.name, unlinked.id, &by, at(8)),
        8,
        ReviewSubject::Blob(layer)
    );
    let all = act("queue: repository", 9);
    after!(
        scene,
        |tx| tx.delete_repository(&scene.repository, &all),
        9,
        ReviewSubject::Blob(layer),
        manifest(referrer)
    );
}

pub(super) async fn a_later_change_puts_the_review_off(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "put-off").await;
    let other = Scene::new(metadata, "put-off-too").await;
    let layer = scene.push_blob("put off").await;
    let subject = ReviewSubject::Blob(layer);
    assert_eq!(queued(metadata, &subject).await, Some(at(0).plus(DAY)));
    let (by, repository) = (somebody(), &other.repository);
    after!(scene, |tx| tx.link_blob(repository, &layer, 7, &by, at(50)), 50, subject);
    // A link that was there is no change.
    after!(scene, |tx| tx.link_blob(repository, &layer, 7, &by, at(60)), 50, subject);
    let due = metadata.reviews(at(50).plus(DAY), 1_000_000).await.expect("a list");
    assert!(!due.iter().any(|review| review.subject == subject));
    let limited = metadata.reviews(at(60).plus(DAY), 1).await.expect("a list");
    assert_eq!(limited.len(), 1);
}
