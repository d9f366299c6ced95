//! The door of Harbor's REST API: `/api/v2.0/…`, `/api/version` and `/c/…`, so that scripts, Terraform, harbor-cli and browsers that
//! know Harbor notice nothing.
//!
//! `routes.rs` holds every operation on one screen; each is one function in a file named noun/verb; what goes wrong becomes a status
//! in one match (`error/verdict.rs`). The manners that lists, bodies and times have in common are `berth_http::rest`.
//!
//! **Invariants.** No handler decides about rights: it asks the handle that `management` gives out for its caller. A session's cookie
//! alone changes nothing: see `csrf.rs`. What is not in the table is 404 or 405, never a pretended success.
#![deny(missing_docs)]

mod answer;
mod body;
mod call;
mod configuration;
mod csrf;
mod door;
mod error;
mod groups;
mod health;
mod members;
mod metadata;
mod permissions;
mod ping;
mod projects;
mod robots;
mod route;
mod routes;
mod search;
mod session;
mod settings;
mod system;
mod users;
mod version;
mod visitor;

pub use door::Door;
pub use route::Operation;
pub use settings::HarborSettings;

/// Every operation of this door, in the order in which paths are looked up.
pub fn operations() -> impl Iterator<Item = Operation> {
    routes::ROUTES.iter().map(|route| route.operation)
}
