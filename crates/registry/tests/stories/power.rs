//! The power goes at every step of a push, under the whole registry: what was acknowledged is there, the rest is there whole or
//! not at all.
//!
//! The file system forgets what was not synced. The database is a real one that commits with `synchronous=FULL`: its commits are
//! taken for durable, which is SQLite's own promise, and a commit that names bytes which were not synced is what this would find.

use std::sync::Arc;
use std::time::Duration;

use berth_blobs_filesystem::testing::{FaultyFileSystem, Loss};
use berth_oci::{Digest, Reference, RepositoryName};
use berth_registry::fsck::{Finding, Options};
use berth_registry::{Condition, Error, Registry, Result, UploadTicket};
use bytes::Bytes;

use crate::house::{House, MIB, NEXT, body, caller, content, empty, name, offset, pull};
use crate::manifests::{image, resolve, tag, to};

/// What a client pushes, and how far it got.
struct Client {
    repository: RepositoryName,
    /// Small: lies in the database.
    config: Bytes,
    /// One request.
    layer: Bytes,
    /// A session of several requests with checkpoints in the middle of them.
    disk: Bytes,
    manifest: Bytes,
    /// The blobs that were acknowledged.
    blobs: Vec<Bytes>,
    session: Option<(UploadTicket, u64)>,
    is_tagged: bool,
}

impl Client {
    fn new() -> Self {
        let (config, layer) = (content(1000), content(300_000));
        let manifest = image(&config, &layer, "power");
        Self {
            repository: name("library/power"),
            disk: content(5 * MIB + 1),
            config,
            layer,
            manifest,
            blobs: Vec::new(),
            session: None,
            is_tagged: false,
        }
    }

    /// Pushes until the first thing that is refused.
    async fn push(&mut self, registry: &Registry) -> Result<()> {
        let caller = caller();
        let guarded = registry.as_caller(&caller);
        for blob in [self.config.clone(), self.layer.clone()] {
            guarded.upload_blob(&self.repository, Digest::sha256(&blob), body(&blob)).await?;
            self.blobs.push(blob);
        }
        let ticket = guarded.start_upload(&self.repository, None).await?;
        self.session = Some((ticket.clone(), 0));
        for (start, end) in [(0, 3 * MIB), (3 * MIB, 5 * MIB + 1)] {
            let chunk = body(&self.disk.slice(start..end));
            guarded.write_chunk(&self.repository, &ticket, NEXT, chunk).await?;
            self.session = Some((ticket.clone(), end as u64));
        }
        let digest = Digest::sha256(&self.disk);
        guarded.finish_upload(&self.repository, &ticket, digest, NEXT, empty()).await?;
        self.session = None;
        self.blobs.push(self.disk.clone());
        let push = to(Reference::Tag(tag("1")), &self.manifest, Condition::Anything);
        guarded.push_manifest(&self.repository, push).await?;
        self.is_tagged = true;
        Ok(())
    }

    /// What was acknowledged is there, what was not is whole or absent, and the push can be ended.
    async fn verify(&mut self, registry: &Registry, when: &str) {
        for blob in [&self.config, &self.layer, &self.disk] {
            let found = pull(registry, &self.repository, &Digest::sha256(blob)).await;
            match found {
                Ok(found) => assert!(found == *blob, "{when}: a blob of {} bytes is not whole", blob.len()),
                Err(Error::BlobUnknown(_) | Error::NameUnknown(_)) if !self.blobs.contains(blob) => {}
                Err(error) => panic!("{when}: a blob of {} bytes: {error}", blob.len()),
            }
        }
        assert_eq!(
            self.is_tagged,
            tagged(registry, &self.repository).await == Some(Digest::sha256(&self.manifest)),
            "{when}"
        );
        self.go_on(registry, when).await;
        self.blobs.clear();
        self.push(registry).await.unwrap_or_else(|error| panic!("{when}: pushed again: {error}"));
        let mut findings = Vec::new();
        let check = Options { deep: true, repair: false };
        let report = registry.fsck(check, &mut |found| findings.push(found.clone())).await.unwrap();
        assert!(report.is_sound(), "{when}: {findings:?}");
        // Bytes that nobody was promised lie about until a later repair; nothing else is odd.
        findings.retain(|found| !matches!(found, Finding::Recent { .. }));
        assert!(findings.is_empty(), "{when}: {findings:?}");
    }

    /// A session has at least what was promised, and goes on from there.
    async fn go_on(&mut self, registry: &Registry, when: &str) {
        if let Some((ticket, promised)) = self.session.take() {
            go_on(registry, &self.repository, &self.disk, &ticket, promised, when).await;
        }
    }
}

/// An upload of this content has at least what was promised, and goes on from there; or it was closed, and only the answer was lost.
pub(crate) async fn go_on(
    registry: &Registry,
    repository: &RepositoryName,
    content: &Bytes,
    ticket: &UploadTicket,
    promised: u64,
    when: &str,
) {
    let (caller, digest) = (caller(), Digest::sha256(content));
    let guarded = registry.as_caller(&caller);
    let there = match guarded.upload_status(repository, ticket).await {
        Ok(_) => offset(registry, repository, ticket).await,
        Err(Error::UploadUnknown) => {
            let found = pull(registry, repository, &digest).await;
            assert!(found.is_ok_and(|found| found == *content), "{when}: the session is gone");
            return;
        }
        Err(error) => panic!("{when}: {error}"),
    };
    assert!(there >= promised, "{when}: {promised} bytes were promised, {there} are there");
    let rest = body(&content.slice(usize::try_from(there).unwrap()..));
    let closed = guarded.finish_upload(repository, ticket, digest, NEXT, rest).await;
    closed.unwrap_or_else(|error| panic!("{when}: from {there}: {error}"));
}

/// The tag's digest; none too if not even the repository is there.
async fn tagged(registry: &Registry, repository: &RepositoryName) -> Option<Digest> {
    let caller = caller();
    match registry.as_caller(&caller).manifest(repository, &Reference::Tag(tag("1")), |_| true).await {
        Err(Error::NameUnknown(_)) => None,
        _ => resolve(registry, repository, "1").await,
    }
}

async fn at_every_step(loss: Loss, alone: bool) {
    for step in 0.. {
        let files = FaultyFileSystem::new();
        let house = House::new().await.on(Arc::new(files.clone()));
        let mut client = Client::new();
        let registry = house.process(1, alone).await;
        files.cut_power(step);
        let outcome = client.push(&registry).await;
        drop(registry);
        files.crash(loss);
        let cut = files.struck();
        files.heal();
        let when = format!("{loss:?}, step {step}, alone: {alone}");
        // The last thing that a push does is a row; what fails after it is cleaning up.
        assert!(cut || outcome.is_ok(), "{when}: {outcome:?}");
        let restarted = house.process(2, alone).await;
        // A writer of which nobody knows that it is dead has a while to show itself.
        house.clock.advance(Duration::from_secs(31));
        client.verify(&restarted, &when).await;
        if !cut {
            assert!(step > 10, "a push has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn bytes_that_were_not_synced_were_not_promised() {
    at_every_step(Loss::Bytes, true).await;
}

#[tokio::test]
async fn names_that_were_not_synced_were_not_promised() {
    at_every_step(Loss::Names, true).await;
}

#[tokio::test]
async fn nothing_promised_goes_with_the_power() {
    at_every_step(Loss::Everything, true).await;
}

#[tokio::test]
async fn nothing_promised_goes_with_the_power_of_one_process_among_several() {
    at_every_step(Loss::Everything, false).await;
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_leaves_what_it_promised() {
    at_every_step(Loss::Nothing, true).await;
}
