//! The words of a registry's house: projects, repositories, who acts, and when. No I/O.
#![deny(missing_docs)]

pub mod actor;
pub mod catalogue;
pub mod chain;
pub mod clock;
pub mod deletion;
pub mod entropy;
pub mod group;
pub mod location;
pub mod member;
pub mod permission;
pub mod permission_set;
pub mod project;
pub mod project_metadata;
pub mod repository;
pub mod robot;
pub mod role;
pub mod timestamp;
mod unseen;
pub mod user;

pub use actor::{Actor, ActorKind};
pub use catalogue::Scope;
pub use chain::chain;
pub use clock::{Clock, SystemClock};
pub use deletion::DeletionId;
pub use entropy::{Entropy, SystemEntropy};
pub use group::{GroupId, GroupType, UserGroup};
pub use location::Location;
pub use member::{Member, MemberEntity, MemberId};
pub use permission::{Action, Permission, Resource};
pub use permission_set::PermissionSet;
pub use project::{Project, ProjectId};
pub use project_metadata::ProjectMetadataKey;
pub use repository::{Repository, RepositoryId};
pub use robot::{Robot, RobotGrant, RobotId, RobotLevel, RobotLogin, RobotScope};
pub use role::{Role, RoleId};
pub use timestamp::Timestamp;
pub use user::{User, UserId};
