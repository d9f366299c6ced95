//! The door of the OCI distribution API: `/v2/…`, as distribution-spec HEAD and Docker's clients speak it.
//!
//! A request is parsed once, by [`Route::parse`]; past it there are no strings. `door.rs` holds all routes on one screen, each
//! endpoint is one file named noun/verb, and every failure becomes an answer in one match (`error/verdict.rs`).
//!
//! **Invariants.** No handler decides about rights: it asks the handle that the registry gives out for its caller. Stored bytes
//! are never converted. Every `Location` is relative. Every answer says `Docker-Distribution-API-Version`.
#![deny(missing_docs)]

mod accept;
mod answer;
mod base;
mod blobs;
mod call;
mod caller;
mod catalog;
mod condition;
mod door;
mod error;
mod extensions;
mod manifests;
mod page;
mod preconditions;
mod referrers;
mod route;
mod settings;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;

use axum::Router;
use berth_registry::Registry;

pub use door::Door;
pub use route::{Route, RouteError};
pub use settings::DistributionSettings;

/// The door as a router for `/v2` and everything below it.
///
/// [`Door`] is the same as a service, for a server that tells `/v2` from the rest by itself.
pub fn router(registry: Registry, settings: DistributionSettings) -> Router {
    let door = Door::new(registry, settings);
    Router::new()
        .route_service("/v2", door.clone())
        .route_service("/v2/", door.clone())
        .route_service("/v2/{*path}", door)
}
