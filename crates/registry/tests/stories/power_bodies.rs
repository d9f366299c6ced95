//! The power goes at every step of the forms that a body may have: whole or in chunks, large or small, of a length that is said or
//! not, through the page cache or past it.

use std::sync::Arc;
use std::time::Duration;

use berth_blobs_filesystem::testing::{FaultyFileSystem, Loss};
use berth_oci::{Digest, RepositoryName};
use berth_registry::fsck::{Finding, Options};
use berth_registry::{Condition, Error, Incoming, Mount, Registry, Result, UploadTicket};
use bytes::Bytes;

use crate::house::{House, MIB, NEXT, body, caller, content, name, pull, push, streamed};
use crate::manifests::{image, push_to, resolve};
use crate::power::go_on;

/// Long enough for two checkpoints, each beside what comes after it.
const LARGE: usize = 5 * MIB + 7;

/// How a client sends its content.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// So many bytes with the one request that uploads them.
    Post(usize),
    /// So many bytes with each chunk, and so many with the request that closes the upload.
    Chunks(&'static [usize], usize),
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Said,
    Unsaid,
}

#[derive(Clone, Copy, Debug)]
enum PageCache {
    Used,
    /// From the first byte on.
    Bypassed,
}

/// One push and where it happens.
#[derive(Clone, Copy, Debug)]
struct Case {
    form: Form,
    length: Length,
    page_cache: PageCache,
    /// Whether no other process shares the data.
    alone: bool,
    /// The push has at least so many steps.
    fewest: u64,
}

const ONE_REQUEST: Case = Case {
    form: Form::Post(LARGE),
    length: Length::Said,
    page_cache: PageCache::Used,
    alone: true,
    fewest: 15,
};
/// The same as the close of an upload that has no byte yet.
const CLOSE: Case = Case { form: Form::Chunks(&[], LARGE), ..ONE_REQUEST };
/// Chunks that are too large for the row and fill no large buffer.
const STORED_AT_ONCE: Case = Case { form: Form::Chunks(&[300_000, 300_001], 0), ..ONE_REQUEST };
/// Chunks that are all in the row until the end.
const IN_THE_ROW: Case = Case { form: Form::Chunks(&[30_000, 30_000], 0), fewest: 7, ..ONE_REQUEST };
/// The third one is too much for the row, and the fourth fits into it again.
const OUT_OF_THE_ROW: Case =
    Case { form: Form::Chunks(&[30_000, 30_000, 30_000, 100], 50), fewest: 12, ..ONE_REQUEST };

impl Form {
    fn size(self) -> usize {
        match self {
            Self::Post(size) => size,
            Self::Chunks(chunks, last) => chunks.iter().sum::<usize>() + last,
        }
    }
}

/// Who pushes, and what was acknowledged.
struct Client {
    case: Case,
    repository: RepositoryName,
    content: Bytes,
    session: Option<(UploadTicket, u64)>,
    is_pushed: bool,
}

impl Client {
    fn incoming(&self, part: &Bytes) -> Incoming {
        match self.case.length {
            Length::Said => body(part),
            Length::Unsaid => streamed(part),
        }
    }

    /// Pushes until the first thing that is refused.
    async fn push(&mut self, registry: &Registry) -> Result<()> {
        let (caller, digest) = (caller(), Digest::sha256(&self.content));
        let guarded = registry.as_caller(&caller);
        match self.case.form {
            Form::Post(_) => {
                guarded.upload_blob(&self.repository, digest, self.incoming(&self.content)).await?;
            }
            Form::Chunks(chunks, _) => {
                let ticket = guarded.start_upload(&self.repository, None).await?;
                self.session = Some((ticket.clone(), 0));
                let mut end = 0;
                for length in chunks {
                    let chunk = self.incoming(&self.content.slice(end..end + length));
                    guarded.write_chunk(&self.repository, &ticket, NEXT, chunk).await?;
                    end += length;
                    self.session = Some((ticket.clone(), end as u64));
                }
                let last = self.incoming(&self.content.slice(end..));
                guarded.finish_upload(&self.repository, &ticket, digest, NEXT, last).await?;
                self.session = None;
            }
        }
        self.is_pushed = true;
        Ok(())
    }

    /// What was acknowledged is there, what was not is whole or absent, and the push can be ended.
    async fn verify(&mut self, registry: &Registry, when: &str) {
        let digest = Digest::sha256(&self.content);
        match pull(registry, &self.repository, &digest).await {
            Ok(found) => assert!(found == self.content, "{when}: it is not whole"),
            Err(Error::BlobUnknown(_) | Error::NameUnknown(_)) if !self.is_pushed => {}
            Err(error) => panic!("{when}: {error}"),
        }
        if let Some((ticket, promised)) = self.session.take() {
            go_on(registry, &self.repository, &self.content, &ticket, promised, when).await;
        }
        self.push(registry).await.unwrap_or_else(|error| panic!("{when}: pushed again: {error}"));
        assert!(pull(registry, &self.repository, &digest).await.unwrap() == self.content, "{when}");
        let mut findings = Vec::new();
        let check = Options { deep: true, repair: false };
        let report = registry.fsck(check, &mut |found| findings.push(found.clone())).await.unwrap();
        findings.retain(|found| !matches!(found, Finding::Recent { .. }));
        assert!(report.is_sound() && findings.is_empty(), "{when}: {findings:?}");
    }
}

async fn at_every_step(case: Case) {
    let content = content(case.form.size());
    for step in 0.. {
        let files = FaultyFileSystem::new();
        let mut house = House::new().await.on(Arc::new(files.clone()));
        if matches!(case.page_cache, PageCache::Bypassed) {
            house.options.direct_after = Some(0);
        }
        let repository = name("library/bodies");
        let mut client =
            Client { case, repository, content: content.clone(), session: None, is_pushed: false };
        let registry = house.process(1, case.alone).await;
        files.cut_power(step);
        let outcome = client.push(&registry).await;
        drop(registry);
        files.crash(Loss::Everything);
        let cut = files.struck();
        files.heal();
        let when = format!("{case:?}, step {step}");
        // The last thing that a push does is a row; what fails after it is cleaning up.
        assert!(cut || outcome.is_ok(), "{when}: {outcome:?}");
        let restarted = house.process(2, case.alone).await;
        // A writer of which nobody knows that it is dead has a while to show itself.
        house.clock.advance(Duration::from_secs(31));
        client.verify(&restarted, &when).await;
        if !cut {
            assert!(step >= case.fewest, "{case:?} has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn a_large_body_of_one_request_promises_what_is_durable() {
    at_every_step(ONE_REQUEST).await;
}

#[tokio::test]
async fn a_large_body_that_closes_its_upload_promises_what_is_durable() {
    at_every_step(CLOSE).await;
    at_every_step(Case { alone: false, ..CLOSE }).await;
}

#[tokio::test]
async fn chunks_that_are_stored_at_once_promise_what_is_durable() {
    at_every_step(STORED_AT_ONCE).await;
    at_every_step(Case { alone: false, ..STORED_AT_ONCE }).await;
}

#[tokio::test]
async fn chunks_in_the_row_promise_what_is_durable() {
    at_every_step(IN_THE_ROW).await;
    at_every_step(OUT_OF_THE_ROW).await;
}

#[tokio::test]
async fn large_bodies_whose_length_nobody_said_promise_what_is_durable() {
    for case in [ONE_REQUEST, CLOSE] {
        at_every_step(Case { length: Length::Unsaid, ..case }).await;
    }
}

#[tokio::test]
async fn chunks_whose_length_nobody_said_promise_what_is_durable() {
    for case in [STORED_AT_ONCE, OUT_OF_THE_ROW] {
        at_every_step(Case { length: Length::Unsaid, ..case }).await;
    }
}

#[tokio::test]
async fn what_passes_by_the_page_cache_is_durable_when_it_is_promised() {
    let bypassed = |case| Case { page_cache: PageCache::Bypassed, ..case };
    for case in [ONE_REQUEST, Case { length: Length::Unsaid, ..CLOSE }, STORED_AT_ONCE] {
        at_every_step(bypassed(case)).await;
    }
}

/// They are rows, and what they name was durable before.
#[tokio::test]
async fn a_mount_and_a_manifest_take_no_step_that_could_fail() {
    let files = FaultyFileSystem::new();
    let house = House::new().await.on(Arc::new(files.clone()));
    let registry = house.process(1, true).await;
    let (source, target) = (name("library/source"), name("team/target"));
    let (config, layer) = (content(1000), content(300_000));
    for blob in [&config, &layer] {
        push(&registry, &source, blob).await;
    }
    files.cut_power(0);
    let caller = caller();
    for blob in [&config, &layer] {
        let digest = Digest::sha256(blob);
        let mounted = registry.as_caller(&caller).mount_blob(&target, &digest, Some(&source)).await.unwrap();
        assert_eq!(mounted, Mount::Mounted(digest));
    }
    let manifest = image(&config, &layer, "mounted");
    push_to(&registry, &target, "1", &manifest, Condition::Anything).await.unwrap();
    assert!(!files.struck());
    drop(registry);
    files.crash(Loss::Everything);
    files.heal();
    let restarted = house.process(2, true).await;
    for blob in [&config, &layer] {
        assert!(pull(&restarted, &target, &Digest::sha256(blob)).await.unwrap() == *blob);
    }
    assert_eq!(resolve(&restarted, &target, "1").await, Some(Digest::sha256(&manifest)));
}
