//! What must have come about before a test believes that nothing was lost.

/// How often each of it did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// An image was pushed, and every answer said so.
    pub(super) pushes: u64,
    /// An image was pulled while the server was in use, and its bytes were compared.
    pub(super) pulls: u64,
    /// What was there was deleted, and the answer said so.
    pub(super) deletions: u64,
    /// An upload that a kill interrupted was gone on with to its end.
    pub(super) resumed: u64,
}

impl Tally {
    /// The sum of both.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            pushes: self.pushes + other.pushes,
            pulls: self.pulls + other.pulls,
            deletions: self.deletions + other.deletions,
            resumed: self.resumed + other.resumed,
        }
    }

    /// Whether each of it came about so often.
    pub(super) fn reaches(self, times: u64) -> bool {
        [self.pushes, self.pulls, self.deletions, self.resumed].into_iter().all(|count| count >= times)
    }
}
