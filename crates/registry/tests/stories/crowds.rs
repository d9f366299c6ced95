//! Many who pull at once: the database is asked once for all of them, and large manifests have a budget on their way out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_blobs::BufferPool;
use berth_oci::{Digest, Reference, RepositoryName};
use berth_registry::{Condition, PulledManifest, Registry};
use bytes::Bytes;
use futures::future::join_all;

use crate::house::{House, MIB, caller, content, name, push, until};
use crate::manifests::{image, push_image, push_to, tag};

/// More than what a connection holds anyhow.
const LARGE: usize = 300 << 10;

async fn pull(registry: &Registry, repository: &RepositoryName, reference: Reference) -> PulledManifest {
    let caller = caller();
    registry.as_caller(&caller).manifest(repository, &reference, |_| true).await.unwrap()
}

/// Pushes an image whose manifest is that large.
async fn push_large(registry: &Registry, repository: &RepositoryName, name: &str) -> (Bytes, Digest) {
    push(registry, repository, &content(10)).await;
    push(registry, repository, &content(20)).await;
    let manifest = image(&content(10), &content(20), &format!("{name}{}", " ".repeat(LARGE)));
    let pushed = push_to(registry, repository, name, &manifest, Condition::Anything).await.unwrap();
    (manifest, pushed.digest)
}

#[tokio::test]
async fn a_crowd_that_pulls_the_same_reads_it_once() {
    let house = House::new().await;
    let repository = name("library/crowd");
    let (small, digest) = push_image(&house.process(1, true).await, &repository, "small").await;
    let (large, _) = push_large(&house.process(1, true).await, &repository, "large").await;
    for (reference, manifest) in [
        (Reference::Tag(tag("small")), &small),
        (Reference::Digest(digest), &small),
        (Reference::Tag(tag("large")), &large),
    ] {
        let registry = house.process(2, true).await;
        let crowd = (0..50).map(|_| pull(&registry, &repository, reference.clone()));
        let pulled = join_all(crowd).await;
        let memory = pulled[0].content.as_ptr();
        assert!(pulled.iter().all(|one| one.content == manifest && one.content.as_ptr() == memory));
    }
}

#[tokio::test]
async fn large_manifests_wait_for_each_other_and_for_nobody_else() {
    for believed in [Duration::ZERO, Duration::from_hours(1)] {
        let mut house = House::new().await;
        house.lifetimes.manifest = believed;
        house.manifests = BufferPool::new(MIB);
        let registry = house.process(1, true).await;
        let repository = name("library/large");
        let mut digests = Vec::new();
        for n in 0..8 {
            digests.push(push_large(&registry, &repository, &format!("large{n}")).await.1);
            push_image(&registry, &repository, &format!("small{n}")).await;
        }
        let sent: Arc<Mutex<Vec<PulledManifest>>> = Arc::default();
        for digest in digests {
            let (registry, repository, sent) = (registry.clone(), repository.clone(), Arc::clone(&sent));
            tokio::spawn(async move {
                let pulled = pull(&registry, &repository, Reference::Digest(digest)).await;
                sent.lock().unwrap().push(pulled);
            });
        }
        for out in 3..8 {
            until(async || sent.lock().unwrap().len() == 3).await;
            // Those that are small, and those that go to another client already, wait for none of them.
            for n in 0..8 {
                pull(&registry, &repository, Reference::Tag(tag(&format!("small{n}")))).await;
            }
            let again = sent.lock().unwrap()[0].digest;
            if !believed.is_zero() {
                pull(&registry, &repository, Reference::Digest(again)).await;
            }
            assert_eq!(sent.lock().unwrap().len(), 3, "no more than fit, {out} were sent");
            assert!(house.manifests.in_use() >= 3 * LARGE);
            drop(sent.lock().unwrap().remove(0));
        }
        until(async || sent.lock().unwrap().len() == 3).await;
        sent.lock().unwrap().clear();
        assert_eq!(house.manifests.in_use(), 0);
    }
}

#[tokio::test]
async fn a_large_manifest_that_is_known_is_not_read_again() {
    let mut house = House::new().await;
    house.lifetimes.manifest = Duration::from_secs(5);
    let registry = house.process(1, false).await;
    let repository = name("library/known");
    let (manifest, digest) = push_large(&registry, &repository, "large").await;
    let references = [Reference::Tag(tag("large")), Reference::Digest(digest)];
    let pulled = pull(&registry, &repository, references[0].clone()).await;
    for reference in references.into_iter().cycle().take(6) {
        house.clock.advance(Duration::from_secs(5));
        let again = pull(&registry, &repository, reference).await;
        assert_eq!(again.content.as_ptr(), pulled.content.as_ptr());
        assert_eq!((&again.content, &again.media_type), (&manifest, &pulled.media_type));
    }
    let caller = caller();
    registry.as_caller(&caller).delete_manifest(&repository, &digest).await.unwrap();
    let gone = registry.as_caller(&caller).manifest(&repository, &Reference::Digest(digest), |_| true).await;
    assert!(gone.is_err(), "what is deleted is not known");
}
