//! One page of a numbered list.

/// A page, and how long the whole list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries of the page.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
}
