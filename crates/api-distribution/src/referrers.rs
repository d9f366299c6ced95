//! Referrers of a manifest.

mod list;

pub(crate) use list::list;
