//! What can be set: sections of settings, where their values come from, and what is refused.
//!
//! **How it is used.** [`load`] lays the layers over each other: defaults, the YAML file, the environment
//! (`BERTH_<SECTION>__<KEY>`), flags. It gives the [`Config`] and the [`Origin`] of each value, or an [`Error`] with everything
//! that is wrong, each with its place and with what to write instead.
//!
//! **Invariants.** Every setting stands once, in its section's table, with its default and its meaning: the file, the
//! environment, `config show` and the reference page all come from that table. A secret is never shown.
//!
//! **How to add one.** A setting is one entry in the table of its section's file; a section is one file in `section/`, one field
//! of [`Config`] and one line in [`Setting::all`]. The reference page is then to be rendered anew.
#![deny(missing_docs)]

mod config;
mod environment;
mod file;
mod layers;
mod nearest;
mod origin;
mod problem;
mod reference;
pub mod section;
mod setting;
mod show;
#[cfg(test)]
mod tests;
pub mod value;
mod yaml;

pub use config::Config;
pub use layers::{Flag, Loaded, Sources, load};
pub use origin::Origin;
pub use problem::{Error, Finding, Problem};
pub use reference::reference;
pub use setting::Setting;
pub use value::{
    Alpn, ExternalUrl, LogFormat, LogLevel, MissingContent, Networks, ProjectCreation, Protocol, Secret, Size,
};
