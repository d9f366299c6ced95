//! Who is asking, and what they may do.
//!
//! **Invariant: no door can step around this crate.** Doors know use cases only; a use case hands out a handle bound to a
//! [`Caller`], and the first line of each of its methods asks [`Access`].
//!
//! Until accounts exist, [`Access::open`] is the only policy: everyone may do everything, and whoever starts Berth is told so.
#![deny(missing_docs)]

pub mod brute_force;
mod caller;
pub mod freshness;
pub mod opaque;
pub mod password;
pub mod permissions;
mod policy;
pub mod recent;
pub mod robot_secret;
pub mod scope;
pub mod seal;
mod secret;
pub mod token;

pub use caller::{Caller, Means};
pub use policy::{Access, Denied};
pub use secret::Secret;
