//! The power goes at every step of the rarer ways on which bytes become a blob.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use berth_blobs_filesystem::testing::{FaultyFileSystem, Loss};
use berth_oci::{Algorithm, Digest, RepositoryName};
use berth_registry::fsck::{Finding, Options};
use berth_registry::{Error, Registry, Result, UploadTicket};
use bytes::Bytes;

use crate::house::{House, MIB, NEXT, body, by_hand, caller, content, empty, name, pull, push, reaches};

/// A way to a blob: what has happened before the power goes, and the request during which it goes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Closed by an algorithm that nobody had declared: everything is read once more.
    AnotherAlgorithm,
    /// Closed by who took the session over from a process that may still write: everything is stored anew.
    TakenOver,
    /// Pushed again after its bytes were lost.
    Healed,
}

struct Scene {
    house: House,
    files: FaultyFileSystem,
    repository: RepositoryName,
    content: Bytes,
}

impl Scene {
    async fn new() -> Self {
        let files = FaultyFileSystem::new();
        let house = House::new().await.on(Arc::new(files.clone()));
        Self { house, files, repository: name("library/rare"), content: content(3 * MIB + 7) }
    }

    /// The digest by which the way asks for the blob.
    fn digest(&self, way: Way) -> Digest {
        let algorithm =
            if matches!(way, Way::AnotherAlgorithm) { Algorithm::Sha512 } else { Algorithm::Sha256 };
        Digest::of(algorithm, &self.content)
    }

    /// Everything up to the request during which the power goes.
    async fn prepare(&self, way: Way, registry: &Registry) -> Option<UploadTicket> {
        let caller = caller();
        let guarded = registry.as_caller(&caller);
        if matches!(way, Way::Healed) {
            let digest = push(registry, &self.repository, &self.content).await;
            let file = &self.house.files().0[0];
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
            std::fs::File::options().write(true).open(file).unwrap().set_len(1).unwrap();
            let read = pull(registry, &self.repository, &digest).await;
            assert!(matches!(read, Err(Error::BlobUnknown(_))), "{read:?}");
            return None;
        }
        let ticket = guarded.start_upload(&self.repository, None).await.unwrap();
        if matches!(way, Way::TakenOver) {
            let gone = self.house.process(9, false).await;
            let (sender, chunk) = by_hand(self.content.len());
            sender.unbounded_send(Ok(self.content.slice(..2 * MIB))).unwrap();
            let (repository, theirs) = (self.repository.clone(), ticket.clone());
            let writing = tokio::spawn(async move {
                let caller = crate::house::caller();
                gone.as_caller(&caller).write_chunk(&repository, &theirs, NEXT, chunk).await
            });
            reaches(registry, &self.repository, &ticket, 2 * MIB as u64).await;
            // It stands still, and nobody knows whether it is dead.
            self.house.clock.advance(Duration::from_secs(31));
            let rest = body(&self.content.slice(2 * MIB..));
            guarded.write_chunk(&self.repository, &ticket, NEXT, rest).await.unwrap();
            drop(sender);
            writing.await.unwrap().unwrap_err();
        } else {
            guarded.write_chunk(&self.repository, &ticket, NEXT, body(&self.content)).await.unwrap();
        }
        Some(ticket)
    }

    async fn request(&self, way: Way, registry: &Registry, ticket: Option<&UploadTicket>) -> Result<()> {
        let (caller, digest) = (caller(), self.digest(way));
        let guarded = registry.as_caller(&caller);
        match ticket {
            Some(ticket) => {
                guarded.finish_upload(&self.repository, ticket, digest, NEXT, empty()).await.map(drop)
            }
            None => guarded.upload_blob(&self.repository, digest, body(&self.content)).await.map(drop),
        }
    }

    /// What was acknowledged is there; what was not is there whole, or not at all and can be pushed.
    async fn verify(&self, way: Way, acknowledged: bool, when: &str) {
        let registry = self.house.process(2, false).await;
        let digest = self.digest(way);
        match pull(&registry, &self.repository, &digest).await {
            Ok(found) => assert!(found == self.content, "{when}: it is not whole"),
            Err(Error::BlobUnknown(_) | Error::NameUnknown(_)) if !acknowledged => {}
            Err(error) => panic!("{when}: {error}"),
        }
        let caller = caller();
        let again =
            registry.as_caller(&caller).upload_blob(&self.repository, digest, body(&self.content)).await;
        again.unwrap_or_else(|error| panic!("{when}: pushed again: {error}"));
        assert!(pull(&registry, &self.repository, &digest).await.unwrap() == self.content, "{when}");
        let mut findings = Vec::new();
        let check = Options { deep: true, repair: false };
        let report = registry.fsck(check, &mut |found| findings.push(found.clone())).await.unwrap();
        findings.retain(|found| !matches!(found, Finding::Recent { .. }));
        assert!(report.is_sound(), "{when}: {findings:?}");
    }
}

async fn at_every_step(way: Way, loss: Loss, fewest: u64) {
    for step in 0.. {
        let scene = Scene::new().await;
        let registry = scene.house.process(1, false).await;
        let ticket = scene.prepare(way, &registry).await;
        scene.files.cut_power(step);
        let outcome = scene.request(way, &registry, ticket.as_ref()).await;
        drop(registry);
        scene.files.crash(loss);
        let cut = scene.files.struck();
        scene.files.heal();
        let when = format!("{way:?}, {loss:?}, step {step}");
        assert!(cut || outcome.is_ok(), "{when}: {outcome:?}");
        scene.verify(way, outcome.is_ok(), &when).await;
        if !cut {
            assert!(step >= fewest, "{way:?} has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn a_close_by_another_algorithm_promises_what_is_durable() {
    at_every_step(Way::AnotherAlgorithm, Loss::Everything, 3).await;
}

#[tokio::test]
async fn a_close_of_what_was_taken_over_promises_what_is_durable() {
    at_every_step(Way::TakenOver, Loss::Everything, 5).await;
}

#[tokio::test]
async fn healed_bytes_are_as_durable_as_new_ones() {
    at_every_step(Way::Healed, Loss::Everything, 5).await;
}
