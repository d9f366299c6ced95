//! Pages of lists, continued by key.

use crate::Room;

/// One page.
#[derive(Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Whether there is more after the last entry; an empty page has no last entry, so there never is.
    pub more: bool,
    /// What its bytes are to be held in.
    pub room: Room,
}

impl Page<()> {
    /// How many entries to look up for a page of `limit`: one more, to see whether there is more.
    pub(crate) fn ask(limit: u32) -> u32 {
        limit.saturating_add(u32::from(limit > 0))
    }
}

impl<T> Page<T> {
    /// The page of `limit` entries out of what [`Page::ask`] asked for.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = limit > 0 && items.len() > limit;
        items.truncate(limit);
        Self { items, more, room: Room::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_asked_for_says_that_there_is_more() {
        assert_eq!((Page::ask(0), Page::ask(2), Page::ask(u32::MAX)), (0, 3, u32::MAX));
        let cut = |items, limit| {
            let page = Page::cut(items, limit);
            (page.items, page.more)
        };
        assert_eq!(cut(vec![1, 2, 3], 2), (vec![1, 2], true));
        assert_eq!(cut(vec![1, 2], 2), (vec![1, 2], false));
        assert_eq!(cut(vec![1], 0), (vec![], false));
    }
}
