//! The sections, a file each.

mod access;
mod cache;
mod data;
mod database;
mod log;
mod memory;
mod projects;
mod registry;
mod robots;
mod server;
mod storage;
mod tls;
mod tokens;

pub use access::Access;
pub use cache::Cache;
pub use data::Data;
pub use database::Database;
pub use log::Log;
pub use memory::Memory;
pub use projects::Projects;
pub use registry::Registry;
pub use robots::Robots;
pub use server::Server;
pub use storage::Storage;
pub use tls::Tls;
pub use tokens::Tokens;

use crate::Setting;

/// One section's part of the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) about: &'static [&'static str],
    pub(crate) settings: &'static [Setting],
}

/// All sections, in the order of the reference page.
pub(crate) const ALL: &[Table] = &[
    server::TABLE,
    tls::TABLE,
    data::TABLE,
    database::TABLE,
    storage::TABLE,
    registry::TABLE,
    access::TABLE,
    tokens::TABLE,
    projects::TABLE,
    robots::TABLE,
    cache::TABLE,
    memory::TABLE,
    log::TABLE,
];
