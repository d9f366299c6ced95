//! `/projects`: the top level of names and of rights.

mod create;
mod deletable;
mod delete;
mod get;
mod head;
mod list;
mod summary;
mod update;
mod view;
mod wanted;

pub(crate) use create::create;
pub(crate) use deletable::deletable;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use head::head;
pub(crate) use list::list;
pub(crate) use summary::summary;
pub(crate) use update::update;
pub(crate) use view::ProjectView;
