//! Tags and their history.

use berth_domain::Repository;
use berth_oci::Digest;

use super::HISTORY_LINES;
use super::scene::{Scene, act, at, image, somebody, tag};
use crate::{Expected, Metadata, TagDelete, TagMove, TagPosition, TagTarget};

/// A repository with two manifests.
async fn two<'a>(metadata: &'a dyn Metadata, name: &str) -> (Scene<'a>, Digest, Digest) {
    let scene = Scene::new(metadata, name).await;
    let first = scene.push(&image("first", &[], None, None), &[]).await;
    let second = scene.push(&image("second", &[], None, None), &[]).await;
    (scene, first, second)
}

async fn point(scene: &Scene<'_>, name: &str, digest: Digest, expected: Expected, n: i64) -> TagMove {
    let mut tx = scene.begin().await;
    let moved = tx.point_tag(&scene.repository, &tag(name), &digest, &expected, &somebody(), at(n)).await;
    tx.commit().await.expect("a commit");
    moved.expect("an answer")
}

async fn delete(scene: &Scene<'_>, name: &str, expected: Expected, n: i64) -> TagDelete {
    let mut tx = scene.begin().await;
    let act = act(&format!("{} {name} {n}", scene.repository.name), n);
    let deleted = tx.delete_tag(&scene.repository, &tag(name), &expected, &act).await;
    tx.commit().await.expect("a commit");
    deleted.expect("an answer")
}

pub(super) async fn moves_are_told_apart(metadata: &dyn Metadata) {
    let (scene, first, second) = two(metadata, "moves").await;
    assert_eq!(point(&scene, "t", first, Expected::Anything, 1).await, TagMove::Created);
    assert_eq!(point(&scene, "t", first, Expected::Anything, 2).await, TagMove::Unchanged);
    assert_eq!(point(&scene, "t", second, Expected::Anything, 3).await, TagMove::Moved { from: first });
    assert_eq!(metadata.tag(scene.repository.id, &tag("t")).await.expect("an answer"), Some(second));
    assert_eq!(metadata.tag(scene.repository.id, &tag("T")).await.expect("an answer"), None);
}

pub(super) async fn expectations_are_kept(metadata: &dyn Metadata) {
    let (scene, first, second) = two(metadata, "expectations").await;
    let nothing = TagMove::Refused { current: None };
    assert_eq!(point(&scene, "t", first, Expected::Present, 1).await, nothing);
    assert_eq!(point(&scene, "t", first, Expected::OneOf(vec![first]), 1).await, nothing);
    assert_eq!(point(&scene, "t", first, Expected::Absent, 2).await, TagMove::Created);

    let there = TagMove::Refused { current: Some(first) };
    assert_eq!(point(&scene, "t", second, Expected::Absent, 3).await, there);
    assert_eq!(point(&scene, "t", second, Expected::OneOf(vec![second]), 3).await, there);
    assert_eq!(point(&scene, "t", second, Expected::OneOf(vec![]), 3).await, there);
    // A lost answer was repeated.
    assert_eq!(point(&scene, "t", first, Expected::Absent, 3).await, TagMove::Unchanged);
    assert_eq!(point(&scene, "t", first, Expected::OneOf(vec![second]), 3).await, TagMove::Unchanged);

    let either = Expected::OneOf(vec![second, first]);
    assert_eq!(point(&scene, "t", second, either, 4).await, TagMove::Moved { from: first });
    assert_eq!(point(&scene, "t", first, Expected::Present, 5).await, TagMove::Moved { from: second });

    let there = TagDelete::Refused { current: Some(first) };
    assert_eq!(delete(&scene, "t", Expected::OneOf(vec![second]), 6).await, there);
    assert_eq!(delete(&scene, "t", Expected::Absent, 6).await, there);
    assert_eq!(
        delete(&scene, "t", Expected::OneOf(vec![first]), 7).await,
        TagDelete::Deleted { from: first }
    );
    assert_eq!(delete(&scene, "t", Expected::Present, 8).await, TagDelete::Refused { current: None });
    assert_eq!(delete(&scene, "t", Expected::Anything, 8).await, TagDelete::Absent);
}

pub(super) async fn deletion_keeps_the_manifest(metadata: &dyn Metadata) {
    let (scene, first, _) = two(metadata, "keeps-the-manifest").await;
    point(&scene, "t", first, Expected::Anything, 1).await;
    assert_eq!(delete(&scene, "t", Expected::Anything, 2).await, TagDelete::Deleted { from: first });
    assert_eq!(metadata.tag(scene.repository.id, &tag("t")).await.expect("an answer"), None);
    assert!(metadata.manifest(scene.repository.id, &first).await.expect("an answer").is_some());
    assert_eq!(point(&scene, "t", first, Expected::Absent, 3).await, TagMove::Created);
}

pub(super) async fn lists_are_in_byte_order(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "byte-order").await;
    let sorted = ["1.0", "1.0-rc", "1.0_rc", "10", "9", "Z", "_x", "a", "a-b", "a.b", "v1", "v1.10", "v1.9"];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.swap(2, 9);
    scene.push(&image("c", &[], None, None), &shuffled).await;
    let mut bytes = sorted;
    bytes.sort_unstable();
    assert_eq!(scene.tags().await, bytes);
    let page = async |after: Option<&'static str>, limit| -> Vec<String> {
        let page = metadata.tags(scene.repository.id, after, limit).await.expect("a list");
        page.iter().map(ToString::to_string).collect()
    };
    assert_eq!(page(None, 2).await, bytes[..2]);
    assert_eq!(page(Some("9"), 2).await, ["Z", "_x"]);
    assert_eq!(page(Some("Zzz is no tag"), 1).await, ["_x"]);
    assert_eq!(page(Some("v1.9"), 2).await, Vec::<String>::new());
    assert_eq!(page(None, 0).await, Vec::<String>::new());
}

pub(super) async fn all_are_listed_with_what_they_name(metadata: &dyn Metadata) {
    let (one, first, second) = two(metadata, "targets/one").await;
    let (two, ..) = two(metadata, "targets/two").await;
    let (stranger, deleted) =
        (Digest::sha256(b"never pushed"), Scene::new(metadata, "targets/deleted").await);
    let elsewhere = deleted.push(&image("elsewhere", &[], None, None), &["of-a-deleted-repository"]).await;
    let names = [("b", first), ("a", stranger), ("Z", second), ("c", elsewhere), ("gone", first)];
    for (name, digest) in names {
        point(&one, name, digest, Expected::Anything, 1).await;
    }
    point(&two, "a", second, Expected::Anything, 1).await;
    delete(&one, "gone", Expected::Anything, 2).await;
    let mut tx = deleted.begin().await;
    tx.delete_repository(&deleted.repository, &act("targets", 3)).await.expect("an answer");
    tx.commit().await.expect("a commit");

    let mut listed: Vec<(Repository, TagTarget)> = Vec::new();
    loop {
        let after = listed
            .last()
            .map(|(repository, last)| TagPosition { repository: repository.id, tag: last.tag.clone() });
        let page = metadata.tag_targets(after.as_ref(), 2).await.expect("a list");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        listed.extend(page);
    }
    assert!(listed.is_sorted_by_key(|(repository, target)| (repository.id.0, target.tag.to_string())));
    let ours = [&one, &two, &deleted].map(|scene| scene.repository.clone());
    listed.retain(|(repository, _)| ours.contains(repository));
    let target = |scene: &Scene<'_>, name, digest, there| {
        (scene.repository.clone(), TagTarget { tag: tag(name), digest, there })
    };
    let expected = [
        target(&one, "Z", second, true),
        target(&one, "a", stranger, false),
        target(&one, "b", first, true),
        // A manifest of another repository is none of this one.
        target(&one, "c", elsewhere, false),
        target(&two, "a", second, true),
    ];
    assert_eq!(listed, expected);
}

pub(super) async fn history_tells_every_real_move(metadata: &dyn Metadata) {
    let (scene, first, second) = two(metadata, "history").await;
    point(&scene, "t", first, Expected::Anything, 1).await;
    point(&scene, "t", first, Expected::Anything, 2).await;
    point(&scene, "t", second, Expected::Absent, 3).await;
    point(&scene, "t", second, Expected::Anything, 4).await;
    delete(&scene, "t", Expected::Anything, 5).await;
    delete(&scene, "t", Expected::Anything, 6).await;
    point(&scene, "other", first, Expected::Anything, 7).await;
    let history = metadata.tag_history(scene.repository.id, &tag("t"), 10).await.expect("a list");
    let told: Vec<_> = history.iter().map(|line| (line.from, line.to, line.at)).collect();
    let expected =
        [(Some(second), None, at(5)), (Some(first), Some(second), at(4)), (None, Some(first), at(1))];
    assert_eq!(told, expected);
    assert!(history.iter().all(|line| line.tag == tag("t") && line.by == somebody()));
    let latest = metadata.tag_history(scene.repository.id, &tag("t"), 1).await.expect("a list");
    assert_eq!(latest, history[..1]);
}

pub(super) async fn old_history_is_forgotten(metadata: &dyn Metadata) {
    let (scene, first, second) = two(metadata, "old-history").await;
    // Long before everything that other cases do.
    for n in 0..6 {
        let digest = if n % 2 == 0 { first } else { second };
        point(&scene, "t", digest, Expected::Anything, -1_000_000 + n).await;
    }
    let prune = async |before, limit| {
        let mut tx = scene.begin().await;
        let gone = tx.prune_tag_history(at(before), limit).await.expect("a number");
        tx.commit().await.expect("a commit");
        gone
    };
    assert_eq!(prune(-1_000_000, 10).await, 0);
    assert_eq!(prune(-1_000_000 + 4, 3).await, 3);
    assert_eq!(prune(-1_000_000 + 4, 3).await, 1);
    let history = metadata.tag_history(scene.repository.id, &tag("t"), 10).await.expect("a list");
    let left: Vec<_> = history.iter().map(|line| line.at).collect();
    assert_eq!(left, [at(-1_000_000 + 5), at(-1_000_000 + 4)]);
}

pub(super) async fn long_history_is_cut(metadata: &dyn Metadata) {
    let (scene, first, second) = two(metadata, "long-history").await;
    let times = async || {
        let history = metadata.tag_history(scene.repository.id, &tag("t"), 100).await.expect("a list");
        history.iter().map(|line| line.at).collect::<Vec<_>>()
    };
    let kept = i64::from(HISTORY_LINES);
    let until = |n: i64| (n - kept + 1..=n).rev().map(at).collect::<Vec<_>>();
    for n in 0..kept {
        let digest = if n % 2 == 0 { first } else { second };
        point(&scene, "t", digest, Expected::Anything, n).await;
    }
    assert_eq!(times().await, until(kept - 1));
    point(&scene, "t", first, Expected::Anything, kept).await;
    assert_eq!(times().await, until(kept), "moved");
    delete(&scene, "t", Expected::Anything, kept + 1).await;
    assert_eq!(times().await, until(kept + 1), "deleted");
    point(&scene, "t", first, Expected::Absent, kept + 2).await;
    assert_eq!(times().await, until(kept + 2), "made again");
    let gone = act("long history", kept + 3);
    scene.delete(&first, &gone).await;
    assert_eq!(times().await, until(kept + 3), "gone with its manifest");
    let mut tx = scene.begin().await;
    let restored = tx.restore(&scene.repository.name, gone.id, &somebody(), at(kept + 4)).await;
    assert_eq!(restored.expect("a restoration").tags, 1);
    tx.commit().await.expect("a commit");
    assert_eq!(times().await, until(kept + 4), "restored");
}
