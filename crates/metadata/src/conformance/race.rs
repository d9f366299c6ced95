//! Races: whatever the order, both sides agree on who was first.

use berth_domain::UserId;
use berth_oci::{Digest, Manifest, Tag};
use bytes::Bytes;
use futures::future::{join, join_all};

use super::scene::{Scene, act, at, begin, blob, image, index, lost, somebody, tag, together};
use crate::certain::certain;
use crate::{
    AddedBlob, AddedManifest, BlobState, CatalogScope, Expected, Metadata, NewManifest, TagDelete, TagMove,
};

/// Tries `act` until it is not lost to the other side.
macro_rules! until_done {
    ($act:expr) => {
        loop {
            if let Some(done) = lost(certain($act).await) {
                break done;
            }
        }
    };
}

pub(super) async fn many_writers_are_all_heard(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "many-writers").await;
    let write = async |n: usize| {
        let blob = format!("blob of writer {n}");
        let digest = scene.push_blob(&blob).await;
        let manifest = scene.push(&image(&blob, &[], None, None), &[&format!("v{n}")]).await;
        // What was committed is seen at once by every reader.
        let id = scene.repository.id;
        assert!(metadata.blob(id, &digest).await.expect("an answer").is_some());
        let tagged = metadata.tag(id, &tag(&format!("v{n}"))).await.expect("an answer");
        assert_eq!(tagged, Some(manifest));
    };
    join_all((0..50).map(write)).await;
    assert_eq!(scene.tags().await.len(), 50);
}

/// Pushes a manifest and points the tag at it, if that is as expected.
async fn push_and_point(scene: &Scene<'_>, note: &str, name: &Tag, expected: &Expected) -> (Digest, TagMove) {
    let digest = scene.push(&image(note, &[], None, None), &[]).await;
    let moved = until_done!(async {
        let mut tx = scene.begin().await;
        let moved = tx.point_tag(&scene.repository, name, &digest, expected, &somebody(), at(1)).await?;
        tx.commit().await.map(|()| moved)
    });
    (digest, moved)
}

/// What the tag names now, which is what the only one brought that `won`; everybody else was told of it.
async fn only_winner(scene: &Scene<'_>, name: &Tag, moves: &[(Digest, TagMove)], won: TagMove) -> Digest {
    let winners: Vec<_> = moves.iter().filter(|(_, moved)| *moved == won).collect();
    assert_eq!(winners.len(), 1, "{moves:?}");
    let winner = winners[0].0;
    let refused = TagMove::Refused { current: Some(winner) };
    assert!(moves.iter().all(|(digest, moved)| *digest == winner || *moved == refused), "{moves:?}");
    assert_eq!(scene.metadata.tag(scene.repository.id, name).await.expect("an answer"), Some(winner));
    winner
}

pub(super) async fn one_of_many_makes_the_tag(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "one-makes-the-tag").await;
    for round in 0..5 {
        let name = tag(&format!("t{round}"));
        let make =
            async |n: usize| push_and_point(&scene, &format!("{round} {n}"), &name, &Expected::Absent).await;
        let moves = join_all((0..8).map(make)).await;
        only_winner(&scene, &name, &moves, TagMove::Created).await;
    }
}

/// What became of the tag so far, latest first: what it named, and what it named then.
async fn told(scene: &Scene<'_>, name: &Tag) -> Vec<(Option<Digest>, Option<Digest>)> {
    let history = scene.metadata.tag_history(scene.repository.id, name, 10).await.expect("a list");
    history.iter().map(|line| (line.from, line.to)).collect()
}

pub(super) async fn one_of_many_moves_the_tag(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "one-moves-the-tag").await;
    for round in 0..5 {
        let text = format!("t{round}");
        let name = tag(&text);
        let old = scene.push(&image(&format!("{round} old"), &[], None, None), &[&text]).await;
        let expected = Expected::OneOf(vec![old]);
        let make = async |n: usize| push_and_point(&scene, &format!("{round} {n}"), &name, &expected).await;
        let moves = join_all((0..8).map(make)).await;
        let winner = only_winner(&scene, &name, &moves, TagMove::Moved { from: old }).await;
        assert_eq!(told(&scene, &name).await, [(Some(old), Some(winner)), (None, Some(old))]);
    }
}

pub(super) async fn one_of_two_moves_or_deletes_the_tag(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "moves-or-deletes-the-tag").await;
    for round in 0..20 {
        let text = format!("t{round}");
        let name = tag(&text);
        let old = scene.push(&image(&format!("{round} old"), &[], None, None), &[&text]).await;
        let new = scene.push(&image(&format!("{round} new"), &[], None, None), &[]).await;
        let (expected, act) = (Expected::OneOf(vec![old]), act(&format!("moved or deleted {round}"), 1));
        let put = async || {
            until_done!(async {
                let mut tx = scene.begin().await;
                let by = somebody();
                let moved = tx.point_tag(&scene.repository, &name, &new, &expected, &by, at(1)).await?;
                tx.commit().await.map(|()| moved)
            })
        };
        let delete = async || {
            until_done!(async {
                let mut tx = scene.begin().await;
                let deleted = tx.delete_tag(&scene.repository, &name, &expected, &act).await?;
                tx.commit().await.map(|()| deleted)
            })
        };
        let (moved, deleted) = if round % 2 == 0 {
            join(put(), delete()).await
        } else {
            let (deleted, moved) = join(delete(), put()).await;
            (moved, deleted)
        };
        let left = match (moved, deleted) {
            (TagMove::Moved { from }, TagDelete::Refused { current }) => {
                assert_eq!((from, current), (old, Some(new)), "round {round}");
                Some(new)
            }
            (TagMove::Refused { current: None }, TagDelete::Deleted { from }) => {
                assert_eq!(from, old, "round {round}");
                None
            }
            both => panic!("round {round}: {both:?}"),
        };
        assert_eq!(metadata.tag(scene.repository.id, &name).await.expect("an answer"), left);
        assert_eq!(told(&scene, &name).await, [(Some(old), left), (None, Some(old))], "round {round}");
    }
}

pub(super) async fn one_of_many_makes_the_project(metadata: &dyn Metadata) {
    let (name, path) = ("raced".parse().expect("a name"), "raced/repository".parse().expect("a name"));
    let make = async |n: i64| {
        until_done!(async {
            let mut tx = begin(metadata).await;
            tx.add_project(&name, n % 2 == 0, UserId::ADMIN, None, &somebody(), at(n)).await?;
            let project = tx.find_project(&name).await?.expect("whoever made it");
            let repository = tx.ensure_repository(&project, &path, &somebody(), at(n)).await?;
            tx.commit().await.map(|()| (project, repository))
        })
    };
    let all = join_all((0..8).map(make)).await;
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
}

pub(super) async fn a_list_that_is_followed_misses_no_referrer(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "followed-referrers").await;
    let subject = Digest::sha256(b"what they are about");
    let about = |note: &str| image(note, &[], Some(subject), None);
    let list = async |after| {
        let listed = metadata.referrers(scene.repository.id, &subject, None, after, 10).await;
        listed.expect("a list")
    };
    // Whoever brings the first manifest holds up the others for another reason.
    scene.push(&image("before", &[], None, None), &[]).await;
    let mut first = scene.begin().await;
    let early = scene.push_in(&mut *first, &about("early"), &[], 0).await.expect("a push");
    let late = about("late");
    let overtake = scene.push(&late, &[]);
    let hold = async {
        // Far more looks than the second one needs to be seen before the first, if it can be.
        for _ in 0..200 {
            if !list(None).await.is_empty() {
                break;
            }
        }
        let seen = list(None).await;
        first.commit().await.expect("a commit");
        seen
    };
    let (late, seen) = join(overtake, hold).await;
    // Whoever goes on behind what was seen finds everything else.
    let rest = list(seen.last().map(|last| last.position)).await;
    let found: Vec<_> = seen.iter().chain(&rest).map(|one| one.descriptor.digest).collect();
    assert_eq!(found, [early, late]);
}

pub(super) async fn a_blob_is_not_lost_to_a_manifest(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "blob-or-manifest").await;
    let id = scene.repository.id;
    for round in 0..20 {
        let name = format!("raced blob {round}");
        let blob = scene.push_blob(&name).await;
        let content = image(&name, &[], None, None);
        let delete = async || {
            let mut tx = scene.begin().await;
            if tx.lock_blob_users(id, &blob, 1).await? != Some(vec![]) {
                return Ok(false);
            }
            tx.unlink_blob(&scene.repository, &blob, &act(&name, 1)).await?;
            tx.commit().await.map(|()| true)
        };
        let push = async || {
            let mut tx = scene.begin().await;
            if tx.lock_links(id, &[blob]).await? == [None] {
                return Ok(None);
            }
            let digest = scene.push_in(&mut *tx, &content, &[], 0).await?;
            tx.commit().await.map(|()| Some(digest))
        };
        let (deleted, pushed) = if round % 2 == 0 {
            join(async { until_done!(delete()) }, async { until_done!(push()) }).await
        } else {
            let (pushed, deleted) =
                join(async { until_done!(push()) }, async { until_done!(delete()) }).await;
            (deleted, pushed)
        };
        assert_eq!(deleted, pushed.is_none(), "round {round}");
        assert_eq!(metadata.blob(id, &blob).await.expect("an answer").is_some(), pushed.is_some());
    }
}

pub(super) async fn a_manifest_is_not_lost_to_an_index(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "manifest-or-index").await;
    let id = scene.repository.id;
    for round in 0..20 {
        let name = format!("raced manifest {round}");
        let child = scene.push(&image(&name, &[], None, None), &[]).await;
        let content = index(&[child]);
        let delete = async || {
            let mut tx = scene.begin().await;
            tx.delete_manifest(&scene.repository, &child, &act(&name, 1)).await?;
            tx.commit().await
        };
        let push = async || {
            let mut tx = scene.begin().await;
            if tx.lock_manifests(id, &[child]).await? == [None] {
                return Ok(false);
            }
            // While it is locked nobody takes it away.
            let digest = scene.push_in(&mut *tx, &content, &[&format!("t{round}")], 0).await?;
            assert!(tx.lock_manifests(id, &[child]).await?[0].is_some());
            assert!(tx.lock_manifests(id, &[digest]).await?[0].is_some());
            tx.commit().await.map(|()| true)
        };
        let ((), pushed) = join(async { until_done!(delete()) }, async { until_done!(push()) }).await;
        assert_eq!(metadata.manifest(id, &child).await.expect("an answer"), None);
        let tagged = metadata.tag(id, &tag(&format!("t{round}"))).await.expect("an answer");
        assert_eq!(tagged.is_some(), pushed, "round {round}");
    }
}

pub(super) async fn the_list_agrees_with_the_last_manifest(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "last-or-first").await;
    for round in 0..20 {
        let [first, second, third] = ["1", "2", "3"].map(|n| image(&format!("{round} {n}"), &[], None, None));
        let (one, two) = (scene.push(&first, &[]).await, scene.push(&second, &[]).await);
        let delete = async |digest| {
            until_done!(async {
                let mut tx = scene.begin().await;
                tx.delete_manifest(&scene.repository, &digest, &act(&format!("{digest}"), 1)).await?;
                tx.commit().await
            });
        };
        let push = async || {
            if round % 2 == 0 {
                return;
            }
            until_done!(async {
                let mut tx = scene.begin().await;
                scene.push_in(&mut *tx, &third, &[], 0).await?;
                tx.commit().await
            });
        };
        join(push(), join(delete(one), delete(two))).await;
        let after = Some("conformance/last-or-firs");
        let names = metadata.repositories(&CatalogScope::All, after, 1).await.expect("a list");
        let listed = names.first() == Some(&scene.repository.name);
        assert_eq!(listed, round % 2 == 1, "round {round}");
        scene.delete(&Digest::sha256(&third), &act(&format!("third {round}"), 2)).await;
    }
}

pub(super) async fn one_of_many_heals_a_manifest(metadata: &dyn Metadata) {
    let scene = Scene::new(metadata, "heals-a-manifest").await;
    let content = image("healed by many", &[], None, None);
    let manifest = Manifest::parse(&content, None).expect("a manifest");
    let push = async |content: &Bytes| {
        until_done!(async {
            let mut tx = scene.begin().await;
            let new = NewManifest { digest: Digest::sha256(b"its name"), content, manifest: &manifest };
            let added = tx.add_manifest(&scene.repository, &new, &somebody(), at(1)).await?;
            tx.commit().await.map(|()| added)
        })
    };
    assert_eq!(push(&Bytes::from_static(b"damaged")).await, AddedManifest::Added);
    let all = join_all((0..8).map(|_| push(&content))).await;
    assert_eq!(all.iter().filter(|added| **added == AddedManifest::Healed).count(), 1, "{all:?}");
    assert_eq!(all.iter().filter(|added| **added == AddedManifest::Kept).count(), 7, "{all:?}");
}

pub(super) async fn one_of_many_heals_a_blob(metadata: &dyn Metadata) {
    let blob = blob("healed by many");
    let mut tx = begin(metadata).await;
    tx.add_blob(&blob, at(0)).await.expect("a blob");
    tx.mark_blob(&blob.digest, &blob.place, BlobState::Missing, at(1)).await.expect("no error");
    tx.commit().await.expect("a commit");
    let heal = async || {
        let mut tx = begin(metadata).await;
        let added = tx.add_blob(&blob, at(2)).await.expect("nobody waits in a circle");
        tx.commit().await.expect("a commit");
        added
    };
    let all = join_all((0..8).map(|_| together(heal()))).await;
    let healed = all.iter().filter(|added| matches!(added, AddedBlob::Healed { .. })).count();
    assert_eq!(healed, 1, "{all:?}");
}
