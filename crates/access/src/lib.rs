//! Who is asking, and what they may do.
//!
//! **Invariant: no door can step around this crate.** Doors know use cases only; a use case hands out a handle bound to a
//! [`Caller`], and the first line of each of its methods asks [`Access`].
//!
//! What flows: [`authenticator`] turns credentials into a [`Caller`], [`token_service`] gives a caller a token for what
//! [`authority`] permits, and [`Access`] answers each question by asking the authority again. Nothing here is trusted for longer
//! than five seconds. [`Access::open`] is the policy without accounts: everyone may do everything.
#![deny(missing_docs)]

pub mod authenticator;
pub mod authority;
mod believed;
pub mod brute_force;
mod caller;
mod changes;
mod error;
pub mod first_start;
pub mod freshness;
pub mod gate;
pub mod gatekeeper;
pub mod keyring;
pub mod opaque;
mod outage;
mod ownership;
pub mod password;
pub mod permissions;
mod policy;
pub mod recent;
pub mod robot_secret;
pub mod scope;
pub mod seal;
mod secret;
pub mod tally;
mod target;
pub mod token;
pub mod token_service;

pub use caller::{Caller, Identity, Means};
pub use error::{LoginError, whole_seconds};
pub use gate::Gate;
pub use gatekeeper::{Gatekeeper, GatekeeperParts, GatekeeperSettings};
pub use outage::Outage;
pub use ownership::owner_of_new_project;
pub use policy::{Access, Denied, Reason};
pub use secret::Secret;
pub use target::Target;
