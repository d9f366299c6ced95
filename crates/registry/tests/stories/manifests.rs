//! Manifests and tags: pushed, pulled, moved under conditions.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use berth_metadata::{Metadata as _, RepositoryReads as _, TagReads as _};
use berth_oci::{Algorithm, Digest, Reference, RepositoryName, Tag};
use berth_registry::{
    Condition, Error, MissingContent, PushManifest, PushedManifest, Registry, Result, Settings,
};
use bytes::Bytes;

use crate::house::{House, caller, content, name, push};

pub(crate) fn tag(name: &str) -> Tag {
    name.parse().unwrap()
}

pub(crate) fn image(config: &Bytes, layer: &Bytes, note: &str) -> Bytes {
    let descriptor = |content: &Bytes| {
        let digest = Digest::sha256(content);
        format!(r#"{{"mediaType":"application/x.test","digest":"{digest}","size":{}}}"#, content.len())
    };
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{},"layers":[{}],"annotations":{{"note":"{note}"}}}}"#,
        descriptor(config),
        descriptor(layer),
    )
    .into()
}

pub(crate) fn to(reference: Reference, content: &Bytes, condition: Condition) -> PushManifest {
    PushManifest { reference, tags: vec![], media_type: None, content: content.clone(), condition }
}

/// Pushes an image with its blobs to a tag.
pub(crate) async fn push_image(
    registry: &Registry,
    repository: &RepositoryName,
    name: &str,
) -> (Bytes, Digest) {
    let (config, layer) = (content(10), content(20));
    push(registry, repository, &config).await;
    push(registry, repository, &layer).await;
    let manifest = image(&config, &layer, name);
    let pushed = push_to(registry, repository, name, &manifest, Condition::Anything).await.unwrap();
    (manifest, pushed.digest)
}

pub(crate) async fn push_to(
    registry: &Registry,
    repository: &RepositoryName,
    name: &str,
    manifest: &Bytes,
    condition: Condition,
) -> Result<PushedManifest> {
    let caller = caller();
    let push = to(Reference::Tag(tag(name)), manifest, condition);
    registry.as_caller(&caller).push_manifest(repository, push).await
}

pub(crate) async fn resolve(registry: &Registry, repository: &RepositoryName, name: &str) -> Option<Digest> {
    let caller = caller();
    let found = registry.as_caller(&caller).manifest(repository, &Reference::Tag(tag(name)), |_| true).await;
    match found {
        Ok(manifest) => Some(manifest.digest),
        Err(Error::ManifestUnknown(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_manifest_comes_back_bit_for_bit_by_tag_and_digest() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/app"));
    let guarded = registry.as_caller(&caller);
    let unknown = guarded.manifest(&repository, &Reference::Tag(tag("v1")), |_| true).await;
    assert!(matches!(unknown, Err(Error::NameUnknown(_))), "{unknown:?}");
    let (manifest, digest) = push_image(&registry, &repository, "v1").await;
    for _ in 0..2 {
        for reference in [Reference::Tag(tag("v1")), Reference::Digest(digest)] {
            let pulled = guarded.manifest(&repository, &reference, |_| true).await.unwrap();
            assert_eq!((pulled.digest, &pulled.content), (digest, &manifest));
            assert_eq!(&pulled.media_type[..], b"application/vnd.oci.image.manifest.v1+json");
        }
    }
    registry.flush_pulls().await.unwrap();
    let sha512 = Digest::of(Algorithm::Sha512, &manifest);
    let push = PushManifest {
        tags: vec![tag("b"), tag("a"), tag("a")],
        ..to(Reference::Digest(sha512), &manifest, Condition::Anything)
    };
    let pushed = guarded.push_manifest(&repository, push).await.unwrap();
    assert_eq!(pushed.tags.len(), 3);
    assert_eq!(resolve(&registry, &repository, "a").await, Some(sha512));
    let page = guarded.tags(&repository, None, 2).await.unwrap();
    assert_eq!((page.items, page.more), (vec![tag("a"), tag("b")], true));
    assert_eq!(guarded.catalog(None, 10).await.unwrap().items, [repository]);
}

#[tokio::test]
async fn a_warm_pull_asks_memory_only_and_a_moved_tag_is_seen_at_once() {
    let house = House::new().await;
    let (here, there) = (house.process(1, false).await, house.process(2, false).await);
    let repository = name("library/warm");
    let (_, first) = push_image(&here, &repository, "latest").await;
    assert_eq!(resolve(&here, &repository, "latest").await, Some(first));
    // Moved behind the back of the first process, which goes on telling what it remembers: it does not ask.
    let (_, second) = push_image(&there, &repository, "other").await;
    let caller = caller();
    let moved =
        there.as_caller(&caller).manifest(&repository, &Reference::Digest(second), |_| false).await.unwrap();
    push_to(&there, &repository, "latest", &moved.content, Condition::Anything).await.unwrap();
    assert_eq!(resolve(&there, &repository, "latest").await, Some(second));
    assert_eq!(resolve(&here, &repository, "latest").await, Some(first));
    // Moved by this process: seen at once.
    push_to(&here, &repository, "latest", &moved.content, Condition::Anything).await.unwrap();
    assert_eq!(resolve(&here, &repository, "latest").await, Some(second));
    here.as_caller(&caller).delete_manifest(&repository, &second).await.unwrap();
    assert_eq!(resolve(&here, &repository, "latest").await, None);
}

#[tokio::test]
async fn tags_change_only_if_what_is_expected_holds() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/cas"));
    let guarded = registry.as_caller(&caller);
    let (a, first) = push_image(&registry, &repository, "a").await;
    let (b, second) = push_image(&registry, &repository, "b").await;
    let try_push = |manifest: Bytes, condition| {
        let (registry, repository) = (registry.clone(), repository.clone());
        async move { push_to(&registry, &repository, "prod", &manifest, condition).await }
    };
    let refused = try_push(a.clone(), Condition::OneOf(vec![first])).await;
    assert!(matches!(refused, Err(Error::Precondition { current: None })), "{refused:?}");
    try_push(a.clone(), Condition::Absent).await.unwrap();
    let refused = try_push(b.clone(), Condition::Absent).await;
    assert!(matches!(refused, Err(Error::Precondition { current }) if current == Some(first)), "{refused:?}");
    let refused = try_push(b.clone(), Condition::OneOf(vec![second])).await;
    assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
    try_push(b.clone(), Condition::OneOf(vec![first])).await.unwrap();
    // The answer was lost and the request is repeated: it holds already.
    try_push(b, Condition::OneOf(vec![first])).await.unwrap();
    let refused = guarded.delete_tag(&repository, &tag("prod"), Condition::OneOf(vec![first])).await;
    assert!(matches!(refused, Err(Error::Precondition { .. })), "{refused:?}");
    guarded.delete_tag(&repository, &tag("prod"), Condition::OneOf(vec![second])).await.unwrap();
    let gone = guarded.delete_tag(&repository, &tag("prod"), Condition::Anything).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown(_))), "{gone:?}");
    let history = guarded.tag_history(&repository, &tag("prod"), 10).await.unwrap();
    let moves: Vec<_> = history.iter().map(|change| (change.from, change.to)).collect();
    assert_eq!(moves, [(Some(second), None), (Some(first), Some(second)), (None, Some(first))]);
    let both = PushManifest { tags: vec![tag("x")], ..to(Reference::Tag(tag("y")), &a, Condition::Absent) };
    assert!(matches!(guarded.push_manifest(&repository, both).await, Err(Error::Unsupported(_))));
}

/// Polls the work so many times, and gives it up then.
async fn give_up_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Wherever a push of several tags ends, all of them name what was pushed, or what they named before.
#[tokio::test]
async fn several_tags_move_together_or_not_at_all() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/together"));
    let guarded = registry.as_caller(&caller);
    let (config, layer) = (content(10), content(20));
    push(&registry, &repository, &config).await;
    push(&registry, &repository, &layer).await;
    let tags = ["a", "b", "c"].map(tag);
    let several = |manifest: &Bytes| PushManifest {
        tags: tags.to_vec(),
        ..to(Reference::Digest(Digest::sha256(manifest)), manifest, Condition::Anything)
    };
    let manifest = image(&config, &layer, "the first");
    guarded.push_manifest(&repository, several(&manifest)).await.unwrap();
    let id = house.metadata.repository(&repository).await.unwrap().unwrap().id;
    // What each of them names and how many lines its history has, once for all that have the same.
    let named = async || {
        // Whoever writes next waits for whatever became of the push.
        house.metadata.begin().await.unwrap().commit().await.unwrap();
        let mut named = Vec::new();
        for tag in &tags {
            let lines = house.metadata.tag_history(id, tag, 1000).await.unwrap().len();
            named.push((house.metadata.tag(id, tag).await.unwrap(), lines));
        }
        named.dedup();
        named
    };
    let mut before = named().await;
    assert_eq!(before, [(Some(Digest::sha256(&manifest)), 1)]);
    for polls in 1.. {
        let manifest = image(&config, &layer, &format!("after {polls} polls"));
        let pushed = give_up_after(polls, guarded.push_manifest(&repository, several(&manifest))).await;
        let now = named().await;
        let moved = [(Some(Digest::sha256(&manifest)), before[0].1 + 1)];
        assert!(now == before || now == moved, "after {polls} polls: {now:?}");
        if let Some(pushed) = pushed {
            pushed.unwrap();
            assert_eq!(now, moved);
            break;
        }
        before = now;
    }
}

#[tokio::test]
async fn bad_manifests_leave_nothing_visible() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/bad"));
    let guarded = registry.as_caller(&caller);
    let (config, layer) = (content(10), content(20));
    let manifest = image(&config, &layer, "bad");
    let refused = push_to(&registry, &repository, "t", &manifest, Condition::Anything).await;
    assert!(matches!(refused, Err(Error::ManifestBlobUnknown(missing)) if missing.len() == 2));
    assert_eq!(house.metadata.repository(&repository).await.unwrap(), None);
    push(&registry, &repository, &config).await;
    push(&registry, &repository, &layer).await;
    let lying = String::from_utf8(manifest.to_vec()).unwrap().replace("\"size\":20", "\"size\":21").into();
    let refused = push_to(&registry, &repository, "t", &lying, Condition::Anything).await;
    assert!(matches!(refused, Err(Error::DescriptorSize { said: 21, size: 20, .. })), "{refused:?}");
    let other = Reference::Digest(Digest::sha256(b"other"));
    let refused = guarded.push_manifest(&repository, to(other, &manifest, Condition::Anything)).await;
    assert!(matches!(refused, Err(Error::DigestMismatch { .. })), "{refused:?}");
    let refused = push_to(&registry, &repository, "t", &Bytes::from_static(b"{"), Condition::Anything).await;
    assert!(matches!(refused, Err(Error::ManifestInvalid(_))), "{refused:?}");
    let small = house.process_with(Settings { manifest_limit: 100, ..house.settings.clone() }).await;
    let refused = push_to(&small, &repository, "t", &manifest, Condition::Anything).await;
    assert!(matches!(refused, Err(Error::ManifestTooLarge { limit: 100 })), "{refused:?}");
    let found = house.metadata.repository(&repository).await.unwrap().unwrap();
    assert_eq!(house.metadata.tags(found.id, None, 10).await.unwrap(), []);
    let any = Settings { missing_content: MissingContent::Any, ..house.settings.clone() };
    let sparse = image(&content(11), &content(21), "sparse");
    push_to(&house.process_with(any).await, &repository, "t", &sparse, Condition::Anything).await.unwrap();
}

#[tokio::test]
async fn referrers_are_listed_whoever_comes_first() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let (caller, repository) = (caller(), name("library/about"));
    let guarded = registry.as_caller(&caller);
    let subject = Digest::sha256(b"still to come");
    assert_eq!(guarded.referrers(&repository, &subject, None, None, 10).await.unwrap().items, []);
    for kind in ["a", "b", "a"] {
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],
                "artifactType":"application/x.{kind}","annotations":{{"n":"{}"}},
                "subject":{{"mediaType":"application/x.test","digest":"{subject}","size":13}}}}"#,
            content(4).iter().map(|byte| char::from(b'a' + byte % 26)).collect::<String>()
        );
        let manifest = Bytes::from(manifest + &" ".repeat(kind.len()));
        let reference = Reference::Digest(Digest::sha256(&manifest));
        let pushed = guarded.push_manifest(&repository, to(reference, &manifest, Condition::Anything)).await;
        assert_eq!(pushed.unwrap().subject, Some(subject));
    }
    let page = guarded.referrers(&repository, &subject, None, None, 1).await.unwrap();
    assert!(page.more);
    let after = Some(page.items[0].position);
    let rest = guarded.referrers(&repository, &subject, Some("application/x.b"), after, 10).await.unwrap();
    assert_eq!((rest.items.len(), rest.more), (1, false));
}

#[tokio::test]
async fn a_subject_that_is_there_has_the_size_that_is_said() {
    let house = House::new().await;
    let registry = house.process(1, true).await;
    let repository = name("library/about");
    let about = |subject: &Digest, size: usize| -> Bytes {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],
                "subject":{{"mediaType":"application/x.test","digest":"{subject}","size":{size}}}}}"#
        )
        .into()
    };
    let push =
        async |manifest: Bytes| push_to(&registry, &repository, "t", &manifest, Condition::Anything).await;
    let (manifest, subject) = push_image(&registry, &repository, "subject").await;
    let refused = push(about(&subject, manifest.len() + 1)).await;
    assert!(matches!(refused, Err(Error::DescriptorSize { digest, .. }) if digest == subject), "{refused:?}");
    assert_eq!(resolve(&registry, &repository, "t").await, None);
    push(about(&subject, manifest.len())).await.unwrap();
    push(about(&Digest::sha256(b"still to come"), 1)).await.unwrap();
}

/// Another process moved the tag and deleted what it named before; this one remembers the tag, but no more what it named.
#[tokio::test]
async fn a_tag_that_moved_is_never_unknown() {
    let mut house = House::new().await;
    house.lifetimes.manifest = Duration::ZERO;
    let (one, two) = (house.process(1, false).await, house.process(2, false).await);
    let repository = name("library/promoted");
    push(&two, &repository, &content(10)).await;
    push(&two, &repository, &content(20)).await;
    let first = image(&content(10), &content(20), "first");
    let first = push_to(&two, &repository, "latest", &first, Condition::Anything).await.unwrap().digest;
    assert_eq!(resolve(&one, &repository, "latest").await, Some(first));
    let (_, second) = push_image(&two, &repository, "latest").await;
    let caller = caller();
    two.as_caller(&caller).delete_manifest(&repository, &first).await.unwrap();
    assert_eq!(resolve(&one, &repository, "latest").await, Some(second));
}
