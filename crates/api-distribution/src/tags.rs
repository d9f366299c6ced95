//! Tags of a repository.

mod list;

pub(crate) use list::list;
