//! What all doors share: what a request knows of its connection, request ids, bodies, problem rendering, queries, paging.
//!
//! **Invariants.** Nothing here compresses: a registry's bytes leave as they are stored, or ranges and lengths would lie. A body
//! that breaks off on its way out ends the connection and is never a clean end of a short answer. Names of repositories never
//! become labels: what metrics see of a request is its [`RouteName`].
#![deny(missing_docs)]

mod asked_by;
pub mod authorization;
mod connection;
pub mod cookies;
mod entity_tag;
mod incoming;
mod origin;
mod outgoing;
mod paging;
mod problem;
pub mod query;
mod reminder;
mod request_id;
pub mod rest;
mod route_name;

pub use asked_by::AskedBy;
pub use connection::ConnectionInfo;
pub use entity_tag::EntityTags;
pub use incoming::{CollectError, RequestBody};
pub use origin::{External, Origin, Origins, Scheme, names_its_host};
pub use outgoing::outgoing;
pub use paging::next_link;
pub use problem::{Problem, problems, problems_text};
pub use reminder::reminder;
pub use request_id::{REQUEST_ID, RequestId, RequestIdLayer, RequestIdService, RequestIds};
pub use route_name::RouteName;
