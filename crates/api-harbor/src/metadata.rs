//! `/projects/{project_name_or_id}/metadatas`: a project's settings, one by one.

mod add;
mod delete;
mod get;
mod list;
mod update;

pub(crate) use add::add;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use update::update;
