//! Wires the rooms together and lives their life: ports from the configuration, the accept loop, health, metrics, upkeep, the end.
//!
//! **How it is used.** [`Server::bind`] makes everything that the configuration names and binds the listeners; nothing is
//! answered yet. [`Server::serve`] answers until its shutdown future is done, drains, and returns.
//!
//! **Where a request goes.** `accept` lets its connection in, `connection` speaks HTTP on a `socket`, `service` answers each request,
//! and `doors` says which door does; the answer's bytes leave through the same `socket`.
//!
//! **Invariants.** A request that takes less time than the grace never fails because of a shutdown. Handlers that change
//! something are never dropped in the middle, whatever becomes of their connection. What one connection can hold of the process
//! is bounded: header, read buffer, time without progress. No label of a metric and no line of the access log holds a secret.
#![deny(missing_docs)]

mod accept;
mod access_log;
mod accounts;
mod activity;
pub mod administration;
mod answer;
mod connection;
mod data_directory;
mod doors;
pub mod embedded;
mod health;
mod held;
mod installation;
pub mod log;
mod metrics;
mod open_files;
mod private_file;
mod process;
mod refusal;
mod sampled;
mod send_file;
mod serve;
mod service;
mod socket;
mod streams;
#[cfg(test)]
mod tests;
mod tls;
mod upkeep;
mod wiring;

pub use accounts::FirstPassword;
pub use data_directory::DataDirectory;
pub use serve::{Server, check};
pub use wiring::Parts;
