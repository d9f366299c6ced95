//! What one client knows of its tags: what was acknowledged, and what may be because an answer was lost.

use std::collections::BTreeMap;

use berth_testkit::Image;

/// The image under a tag, or none.
type State = Option<Image>;

/// The tags of one repository that one client alone writes to.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What each tag may be now; exactly one state while nothing is in doubt.
    tags: BTreeMap<String, Vec<State>>,
}

impl Ledger {
    /// The tag is this now: the server said so.
    pub(super) fn acknowledged(&mut self, tag: &str, state: State) {
        self.tags.insert(tag.to_owned(), vec![state]);
    }

    /// The tag may be this now, or what it was.
    pub(super) fn in_doubt(&mut self, tag: &str, state: State) {
        self.tags.entry(tag.to_owned()).or_insert_with(|| vec![None]).push(state);
    }

    /// The image was deleted by its digest: no tag is it any more.
    pub(super) fn deleted(&mut self, image: &Image) {
        for states in self.tags.values_mut() {
            let before = states.len();
            states.retain(|state| !is(state, image));
            if states.len() < before {
                states.push(None);
            }
        }
    }

    /// A deletion of this image by its digest touches every tag on it.
    pub(super) fn tags_that_may_be(&self, image: &Image) -> Vec<String> {
        let touched = self.tags.iter().filter(|(_, states)| states.iter().any(|state| is(state, image)));
        touched.map(|(tag, _)| tag.clone()).collect()
    }

    /// What one tag may be.
    pub(super) fn states_of(&self, tag: &str) -> &[State] {
        self.tags.get(tag).map_or(&[None], Vec::as_slice)
    }

    /// By which statuses a request for the tag may be answered, if one is for what is there and the other one for what is not.
    pub(super) fn statuses(&self, tag: &str, there: u16, gone: u16) -> Vec<u16> {
        self.states_of(tag).iter().map(|state| if state.is_some() { there } else { gone }).collect()
    }

    /// Whether the image is certainly there: a tag can be nothing else.
    pub(super) fn has(&self, image: &Image) -> bool {
        self.tags.values().any(|states| states.iter().all(|state| is(state, image)))
    }

    /// What a tag may be.
    pub(super) fn states(&self) -> impl Iterator<Item = (&String, &Vec<State>)> {
        self.tags.iter()
    }
}

fn is(state: &State, image: &Image) -> bool {
    state.as_ref().is_some_and(|found| found.digest() == image.digest())
}
