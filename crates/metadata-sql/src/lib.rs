//! The metadata port on SQL: one text a query for SQLite and PostgreSQL, both from sqlx.
//!
//! **Invariants.** Every statement stands in a `statements!` block of its noun's file and thereby in `statement::all`, which a test
//! prepares on both databases; no other place holds SQL but what opens a database. The two databases differ in the texts that
//! `sql!(pg: …, lite: …)` writes apart, in [`SqlMetadata`]'s constructors, in how a transaction ends and in what can be wrong with a file;
//! nowhere else does the code ask which one it is. A transaction in which a statement failed cannot be committed. What a transaction counts (usage, counters,
//! reviews) is gathered in memory and written just before the commit, so that the busiest rows are locked last and shortest. A
//! statement whose answer decides nothing, and which is said to give no rows, is run by `later!`, which spares an embedded database's
//! writer the way to its thread.
//!
//! **How to add one.** A noun has the same file here as in the port: its `statements!`, its rows, and the impls of its two traits.
//! A new column or table is a new migration in both directories under `migrations/`; one that ran is never edited.
#![deny(missing_docs)]

#[macro_use]
mod statement;
#[macro_use]
mod window;

mod batch;
mod blob;
mod database;
mod deletion;
mod error;
mod group;
mod manifest;
mod member;
mod open;
mod pending;
mod pool;
mod postgres;
mod project;
mod project_page;
mod pull;
mod reference;
mod referrer;
mod refresh_token;
mod repository;
mod review;
mod robot;
mod role;
mod sealed_secret;
mod session;
mod setting;
mod signing_key;
mod sqlite;
mod standing;
mod sum;
mod tag;
mod transaction;
mod upload;
mod user;
mod value;

#[cfg(test)]
mod tests;

pub use database::{Load, SqlMetadata};
pub use error::OpenError;
pub use open::{Opening, Schema};
