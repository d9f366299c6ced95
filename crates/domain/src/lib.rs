//! The words of a registry's house: projects, repositories, who acts, and when. No I/O.
#![deny(missing_docs)]

pub mod actor;
pub mod clock;
pub mod deletion;
pub mod entropy;
pub mod location;
pub mod permission;
pub mod project;
pub mod repository;
pub mod timestamp;

pub use actor::{Actor, ActorKind};
pub use clock::{Clock, SystemClock};
pub use deletion::DeletionId;
pub use entropy::{Entropy, SystemEntropy};
pub use location::Location;
pub use permission::{Action, Resource};
pub use project::{Project, ProjectId};
pub use repository::{Repository, RepositoryId};
pub use timestamp::Timestamp;
