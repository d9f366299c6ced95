//! A client that pushes, pulls, moves and deletes images in a repository of its own.

use std::io;

use berth_oci::Digest;
use berth_testkit::{BerthServer, Image, Random, Repository};

use super::Client;
use super::ledger::Ledger;

/// How many tags it plays with.
const TAGS: u64 = 6;

#[derive(Debug)]
pub(super) struct Pusher {
    repository: Repository,
    random: Random,
    ledger: Ledger,
    /// Every push is of a new image, so what was deleted by digest stays away.
    deleted: Vec<Digest>,
    acknowledged: u64,
}

impl Pusher {
    pub(super) fn new(server: &BerthServer, number: u64, seed: u64) -> Self {
        let repository = server.repository(&format!("library/survival/pusher-{number}"));
        let random = Random::new(seed);
        Self { repository, random, ledger: Ledger::default(), deleted: Vec::new(), acknowledged: 0 }
    }

    fn tag(&mut self) -> String {
        format!("tag-{}", self.random.below(TAGS))
    }

    /// Sizes of all paths: in the database, one buffer, several.
    fn push(&mut self) {
        let tag = self.tag();
        let len = [500, 60_000, 900_000, 3_000_000][self.random.index(4)];
        let image = Image::random(self.random.next(), len);
        match self.repository.push_image(&tag, &image) {
            Ok(_) => {
                self.acknowledged += 1;
                self.ledger.acknowledged(&tag, Some(image));
            }
            Err(_) => self.ledger.in_doubt(&tag, Some(image)),
        }
    }

    fn untag(&mut self) {
        let tag = self.tag();
        match self.repository.delete_manifest(&tag) {
            Ok(answer) if [202, 404].contains(&answer.status) => {
                self.acknowledged += 1;
                self.ledger.acknowledged(&tag, None);
            }
            Ok(answer) => panic!("a tag's deletion was answered by {}: {}", answer.status, answer.text()),
            Err(_) => self.ledger.in_doubt(&tag, None),
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
        let answer = self.repository.delete_manifest(&image.digest().to_string());
        match answer {
            Ok(answer) if [202, 404].contains(&answer.status) => {
                self.acknowledged += 1;
                self.ledger.deleted(image);
                self.deleted.push(image.digest());
            }
            Ok(answer) => panic!("a deletion was answered by {}: {}", answer.status, answer.text()),
            // A tag that may have been something else still may be that.
            Err(_) => touched.iter().for_each(|tag| self.ledger.in_doubt(tag, None)),
        }
    }

    /// Nobody else writes here: what comes while the server lives is exactly what the ledger says.
    fn pull(&mut self) {
        let tag = self.tag();
        let Ok(found) = find(&self.repository, &tag) else { return };
        let states = self.ledger.states_of(&tag);
        let fits = states.iter().find(|state| state.as_ref().map(Image::manifest) == found.as_deref());
        let state = fits.unwrap_or_else(|| panic!("{tag} is none of the {} it may be", states.len()));
        let Some(image) = state else { return };
        let blob = &image.blobs()[self.random.index(image.blobs().len())];
        let Ok(answer) = self.repository.blob(&Digest::sha256(blob)) else { return };
        assert!(answer.status == 200, "a blob of {tag}: {} {}", answer.status, answer.text());
        assert!(answer.body == *blob, "a blob of {tag} came changed");
    }
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
            let found = self.repository.manifest(&digest.to_string()).expect("the server answers");
            assert_eq!(found.status, 404, "{when}: {digest} was deleted and is back");
        }
        let mut settled = Vec::new();
        for (tag, states) in self.ledger.states() {
            let found = find(&self.repository, tag).unwrap_or_else(|error| panic!("{when}: {tag}: {error}"));
            let fits = states.iter().find(|state| state.as_ref().map(Image::manifest) == found.as_deref());
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
        self.acknowledged
    }
}

fn find(repository: &Repository, tag: &str) -> io::Result<Option<Vec<u8>>> {
    let answer = repository.manifest(tag)?;
    match answer.status {
        200 => Ok(Some(answer.body)),
        404 => Ok(None),
        other => Err(io::Error::other(format!("status {other}: {}", answer.text()))),
    }
}
