//! A client that pushes, pulls, moves and deletes images in a repository of its own.

use std::io;

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
    acknowledged: u64,
}

impl Pusher {
    pub(super) fn new(server: &BerthServer, number: u64, seed: u64) -> Self {
        let repository = server.repository(&format!("library/survival/pusher-{number}"));
        Self { repository, random: Random::new(seed), ledger: Ledger::default(), acknowledged: 0 }
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
        let sure = answer.is_ok_and(|answer| [202, 404].contains(&answer.status));
        for tag in touched {
            // A tag that may have been something else still may be that.
            self.ledger.in_doubt(&tag, None);
        }
        self.acknowledged += u64::from(sure);
    }

    fn pull(&mut self) {
        let tag = self.tag();
        // Checked whole after every kill; here it keeps readers busy.
        let _ = self.repository.manifest(&tag);
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
