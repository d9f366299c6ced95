//! A client that pushes, pulls, moves and deletes images in a repository of its own.

use berth_oci::{Digest, media_type};
use berth_testkit::{BerthServer, Image, Random, Repository, Request, Response};

use super::Client;
use super::downtime::Downtime;
use super::ledger::Ledger;
use super::tally::Tally;

/// How many tags it plays with.
const TAGS: u64 = 6;

#[derive(Debug)]
pub(super) struct Pusher {
    repository: Repository,
    downtime: Downtime,
    random: Random,
    ledger: Ledger,
    /// Every push is of a new image, so what was deleted by digest stays away.
    deleted: Vec<Digest>,
    tally: Tally,
}

impl Pusher {
    pub(super) fn new(server: &BerthServer, downtime: &Downtime, number: u64, seed: u64) -> Self {
        Self {
            repository: server.repository(&format!("library/survival/pusher-{number}")),
            downtime: downtime.clone(),
            random: Random::new(seed),
            ledger: Ledger::default(),
            deleted: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn tag(&mut self) -> String {
        format!("tag-{}", self.random.below(TAGS))
    }

    /// Sizes of all paths: in the database, one buffer, several.
    fn push(&mut self) {
        let tag = self.tag();
        let len = [500, 60_000, 900_000, 3_000_000][self.random.index(4)];
        let image = Image::random(self.random.next(), len);
        if self.push_image(&tag, &image).is_some() {
            self.tally.pushes += 1;
            self.ledger.acknowledged(&tag, Some(image));
        } else {
            self.ledger.in_doubt(&tag, Some(image));
        }
    }

    /// Nobody else writes here and no blob is ever deleted, so nothing is in the way of a push; `None` if the server was killed before
    /// the end of it.
    fn push_image(&self, tag: &str, image: &Image) -> Option<Response> {
        for blob in image.blobs() {
            let opened = self.repository.ask(&Request::post(self.repository.path("blobs/uploads/")));
            let opened = self.downtime.answer("the beginning of a blob", opened, &[202])?;
            let mut upload = self.repository.upload(&opened).expect("it says where to go on");
            let closed = upload.close(&Digest::sha256(blob), blob);
            self.downtime.answer(&format!("a blob of {} bytes", blob.len()), closed, &[201])?;
        }
        let put = Request::put(self.repository.path(&format!("manifests/{tag}")));
        let put = put.header("Content-Type", media_type::OCI_MANIFEST).body(image.manifest());
        self.downtime.answer(&format!("the manifest of {tag}"), self.repository.ask(&put), &[201])
    }

    fn untag(&mut self) {
        let tag = self.tag();
        let permitted = self.ledger.statuses(&tag, 202, 404);
        let answer = self.repository.delete_manifest(&tag);
        match self.downtime.answer(&format!("the deletion of {tag}"), answer, &permitted) {
            Some(answer) => {
                self.count_deletion(&answer);
                self.ledger.acknowledged(&tag, None);
            }
            None => self.ledger.in_doubt(&tag, None),
        }
    }

    fn delete_by_digest(&mut self) {
        let known = self.ledger.states().flat_map(|(_, states)| states.iter().flatten());
        let images: Vec<_> = known.cloned().collect();
        if images.is_empty() {
            return;
        }
        let image = &images[self.random.index(images.len())];
        let touched = self.ledger.tags_that_may_be(image);
        let permitted: &[u16] = if self.ledger.has(image) { &[202] } else { &[202, 404] };
        let answer = self.repository.delete_manifest(&image.digest().to_string());
        match self.downtime.answer(&format!("the deletion of {}", image.digest()), answer, permitted) {
            Some(answer) => {
                self.count_deletion(&answer);
                self.ledger.deleted(image);
                self.deleted.push(image.digest());
            }
            // A tag that may have been something else still may be that.
            None => touched.iter().for_each(|tag| self.ledger.in_doubt(tag, None)),
        }
    }

    /// Only what was there counts.
    fn count_deletion(&mut self, answer: &Response) {
        if answer.status == 202 {
            self.tally.deletions += 1;
        } else {
            assert_unknown(answer);
        }
    }

    /// What comes while the server lives is exactly what the ledger says.
    fn pull(&mut self) {
        let tag = self.tag();
        let Some(found) = self.manifest(&tag, "in use") else { return };
        let states = self.ledger.states_of(&tag);
        let fits = states.iter().find(|state| state.as_ref().map(Image::manifest) == found.manifest());
        let state = fits.unwrap_or_else(|| panic!("{tag} is none of the {} it may be", states.len()));
        let Some(image) = state else { return };
        let blob = &image.blobs()[self.random.index(image.blobs().len())];
        let answer = self.repository.blob(&Digest::sha256(blob));
        let asked = format!("a blob of {tag}");
        let Some(answer) = self.downtime.answer(&asked, answer, &[200]) else { return };
        assert!(answer.body == *blob, "{asked} came changed");
        self.tally.pulls += 1;
    }

    /// What is under a tag; `None` if the server was killed before it said so.
    fn manifest(&self, tag: &str, when: &str) -> Option<Found> {
        let permitted = self.ledger.statuses(tag, 200, 404);
        let answer = self.repository.manifest(tag);
        let answer = self.downtime.answer(&format!("{when}: the manifest of {tag}"), answer, &permitted)?;
        if answer.status == 404 {
            assert_unknown(&answer);
        }
        Some(Found(answer))
    }
}

/// An answer to a question for a manifest.
struct Found(Response);

impl Found {
    /// The manifest, if there is one.
    fn manifest(&self) -> Option<&[u8]> {
        (self.0.status == 200).then_some(self.0.body.as_slice())
    }
}

/// There is no such manifest, or not even a repository yet.
fn assert_unknown(answer: &Response) {
    let code = answer.code();
    assert!(["MANIFEST_UNKNOWN", "NAME_UNKNOWN"].contains(&code.as_str()), "{}", answer.text());
}

impl Client for Pusher {
    fn step(&mut self) {
        match self.random.below(10) {
            0..=4 => self.push(),
            5 => self.untag(),
            6 => self.delete_by_digest(),
            _ => self.pull(),
        }
    }

    fn check(&mut self, when: &str) {
        for digest in &self.deleted {
            let asked = format!("{when}: {digest}, which was deleted");
            let answer = self.repository.manifest(&digest.to_string());
            self.downtime.answer(&asked, answer, &[404]).expect("the server is up");
        }
        let mut settled = Vec::new();
        for (tag, states) in self.ledger.states() {
            let found = self.manifest(tag, when).expect("the server is up");
            let fits = states.iter().find(|state| state.as_ref().map(Image::manifest) == found.manifest());
            let state =
                fits.unwrap_or_else(|| panic!("{when}: {tag} is none of the {} it may be", states.len()));
            if let Some(image) = state {
                self.repository.assert_image(tag, image);
            }
            settled.push((tag.clone(), state.clone()));
        }
        // From here on each tag is what it was seen to be.
        for (tag, state) in settled {
            self.ledger.acknowledged(&tag, state);
        }
    }

    fn acknowledged(&self) -> u64 {
        self.tally.pushes + self.tally.deletions
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}
