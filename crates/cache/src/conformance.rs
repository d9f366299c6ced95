//! What every cache must prove: call [`run`] from the adapter's tests.

pub mod attempts;

use bytes::Bytes;

use crate::{Cache, Key, Kind};

fn key(name: &'static str) -> Key {
    Key { kind: Kind::Tag, scope: 7, name: Bytes::from_static(name.as_bytes()) }
}

/// Runs every promise of the port against `cache`, which must be empty.
///
/// # Panics
/// If a promise is broken.
pub async fn run(cache: &dyn Cache) {
    remembers_and_forgets(cache).await;
    keys_do_not_meet(cache).await;
    a_stale_value_is_not_put_back(cache).await;
    a_stamp_tells_of_every_change_and_of_nothing_else(cache).await;
}

async fn remembers_and_forgets(cache: &dyn Cache) {
    assert_eq!(cache.get(&key("a")).await, None);
    let stamp = cache.stamp(&key("a"));
    cache.put(key("a"), Bytes::from_static(b"1"), stamp).await;
    assert_eq!(cache.get(&key("a")).await.as_deref(), Some(&b"1"[..]));
    assert_eq!(cache.last_known(&key("a")).await.as_deref(), Some(&b"1"[..]));
    cache.invalidate(&[key("a"), key("never seen")]).await;
    assert_eq!(cache.get(&key("a")).await, None);
    assert_eq!(cache.last_known(&key("a")).await, None);
}

async fn keys_do_not_meet(cache: &dyn Cache) {
    let other_scope = Key { scope: 8, ..key("b") };
    let other_kind = Key { kind: Kind::Manifest, ..key("b") };
    let stamp = cache.stamp(&key("b"));
    cache.put(key("b"), Bytes::from_static(b"1"), stamp).await;
    assert_eq!(cache.get(&other_scope).await, None);
    assert_eq!(cache.get(&other_kind).await, None);
}

async fn a_stale_value_is_not_put_back(cache: &dyn Cache) {
    let stamp = cache.stamp(&key("c"));
    cache.invalidate(&[key("c")]).await;
    cache.put(key("c"), Bytes::from_static(b"old"), stamp).await;
    assert_eq!(cache.get(&key("c")).await, None);
}

async fn a_stamp_tells_of_every_change_and_of_nothing_else(cache: &dyn Cache) {
    let kinds = [Kind::Repository, Kind::Tag, Kind::Manifest, Kind::Blob];
    for kind in kinds.into_iter().chain([Kind::Subject, Kind::Project, Kind::Group, Kind::Session]) {
        let watched = Key { kind, ..key("d") };
        let before = cache.stamp(&watched);
        cache.put(watched.clone(), Bytes::from_static(b"1"), before).await;
        cache.get(&watched).await;
        assert_eq!(cache.stamp(&watched), before, "{kind:?}");
        assert!(cache.stands(before), "{kind:?}");
        cache.invalidate(&[key("never seen"), watched.clone()]).await;
        let changed = cache.stamp(&watched);
        assert_ne!(changed, before, "{kind:?}");
        assert!(cache.stands(changed) && !cache.stands(before), "{kind:?}");
        cache.invalidate(std::slice::from_ref(&watched)).await;
        assert!(![before, changed].contains(&cache.stamp(&watched)), "{kind:?}");
        assert!(!cache.stands(before) && !cache.stands(changed), "{kind:?}");
    }
}
