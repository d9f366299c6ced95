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

    /// A deletion of this image by its digest touches every tag on it.
    pub(super) fn tags_that_may_be(&self, image: &Image) -> Vec<String> {
        let is = |state: &State| state.as_ref().is_some_and(|found| found.digest() == image.digest());
        self.tags.iter().filter(|(_, states)| states.iter().any(is)).map(|(tag, _)| tag.clone()).collect()
    }

    /// What a tag may be.
    pub(super) fn states(&self) -> impl Iterator<Item = (&String, &Vec<State>)> {
        self.tags.iter()
    }
}
