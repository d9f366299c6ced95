//! The door of the OCI distribution API: `/v2/…` and its tokens, as distribution-spec HEAD and Docker's
//! clients speak them.
//!
//! A request is parsed once, by [`Route::parse`]; past it there are no strings. `door.rs` holds all routes on one screen, each
//! endpoint is one file named noun/verb, and every failure becomes an answer in one match (`error/verdict.rs`).
//!
//! **Invariants.** No handler decides about rights: it asks the handle that the registry gives out for its caller. Stored bytes
//! are never converted. Every `Location` is relative. Every answer says `Docker-Distribution-API-Version`, and whoever answers in the
//! door's place says it too ([`version`]).
#![deny(missing_docs)]

mod accept;
mod answer;
mod base;
mod blobs;
mod call;
mod caller;
mod catalog;
mod challenge;
mod condition;
mod door;
mod error;
mod extensions;
mod manifests;
mod page;
mod preconditions;
mod referrers;
mod route;
mod service_route;
mod settings;
mod slots;
mod tags;
mod token;
mod uploads;
pub mod version;

pub use door::Door;
pub use route::{Route, RouteError};
pub use service_route::ServiceRoute;
pub use settings::DistributionSettings;
