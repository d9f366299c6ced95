//! Pages of small administrative lists. They are numbered, as Harbor's API numbers them; what can grow without bound is continued
//! by key instead.

/// A part of a sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<O> {
    /// By what it is sorted; the row's number decides between equals.
    pub order: O,
    /// The other way round.
    pub descending: bool,
    /// How many come before it.
    pub offset: u64,
    /// How many it has at most.
    pub limit: u32,
}
