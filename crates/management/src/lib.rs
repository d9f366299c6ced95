//! The use cases of those who run the house: users, groups, projects and their settings, members, robots, search, and what the
//! installation says of itself.
//!
//! **Invariants.** [`Management::as_caller`] is the only way for a door in, and every method of [`Guarded`] begins with its
//! permission check. What does not exist and what the caller may not know of are answered alike. A change is visible when its
//! transaction committed, and the [`Authority`] tells the cache what changed before the answer, so that nobody whom that reaches believes the old. Every change of a credential moves the
//! account's `valid_after`, so that what was issued before ends. A list is two queries, however long it is.
//!
//! **Where to look.** One noun is one file and holds the noun's methods of [`Guarded`]: [`user`], [`credential`], [`group`],
//! [`project`], [`setting`], [`member`], [`robot`], [`search`], [`system`], [`health`], [`configuration`], [`permission`]. Rules for
//! names and values are words and stand in `domain`.
#![deny(missing_docs)]

pub mod configuration;
pub mod credential;
pub mod error;
pub mod group;
mod guarded;
pub mod health;
pub mod listed;
pub mod member;
pub mod permission;
pub mod project;
mod project_ref;
pub mod robot;
pub mod search;
pub mod setting;
pub mod settings;
pub mod system;
pub mod user;

use std::sync::Arc;

use berth_access::authority::Authority;
use berth_access::brute_force::BruteForce;
use berth_access::password::Passwords;
use berth_access::robot_secret::SecretKey;
use berth_access::{Access, Caller};
use berth_blobs::Blobs;
use berth_cache::Cache;
use berth_domain::{Clock, Entropy, Timestamp};
use berth_metadata::Metadata;

// Words of the port that doors meet in signatures and errors; a door may not name a port.
pub use berth_metadata::group::{GroupFilter, GroupOrder};
pub use berth_metadata::member::MemberOrder;
pub use berth_metadata::project_page::{ProjectOrder, ProjectPage};
pub use berth_metadata::robot::{RobotFilter, RobotOrder};
pub use berth_metadata::user::{UserFilter, UserOrder};
pub use berth_metadata::{Error as DatabaseError, FoundRepository, Window};

pub use configuration::Configuration;
pub use error::Error;
pub use guarded::Guarded;
pub use health::ComponentHealth;
pub use listed::Listed;
pub use member::{MemberPage, NewMember};
pub use permission::Catalogue;
pub use project::{NewProject, ProjectFilter, ProjectSummary, QuotaUse};
pub use project_ref::ProjectRef;
pub use robot::{MadeRobot, RobotGrantPage, RobotPage, RobotPermission, WantedRobot};
pub use search::Found;
pub use settings::ManagementSettings;
pub use system::{SystemDetails, SystemInfo};
pub use user::{FoundUser, NewUser, Profile, UserField};

/// What a use case gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that the use cases stand on.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The database.
    pub metadata: Arc<dyn Metadata>,
    /// Storage, which is only asked for its health.
    pub blobs: Arc<dyn Blobs>,
    /// What the registry remembers of repositories; told of those that go with a project.
    pub cache: Arc<dyn Cache>,
    /// Knows who may do what, and is told what was changed.
    pub authority: Arc<Authority>,
    /// Hashes what people choose.
    pub passwords: Passwords,
    /// Keeps what is generated.
    pub secret_key: SecretKey,
    /// Slows down guessing at an old password.
    pub brute_force: BruteForce,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For generated secrets.
    pub entropy: Arc<dyn Entropy>,
}

/// The management of the house. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Management {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    settings: ManagementSettings,
    access: Access,
    health: health::Health,
}

impl Management {
    /// Opens the management over its parts. Everyone may do what the authority says, and nothing else.
    #[must_use]
    pub fn open(parts: Parts, settings: ManagementSettings) -> Self {
        let access = Access::closed(Arc::clone(&parts.authority));
        let health = health::Health::new(&parts);
        Self { inner: Arc::new(Inner { parts, settings, access, health }) }
    }

    /// The handle for one caller: the only thing that a door can call.
    #[must_use]
    pub fn as_caller<'a>(&'a self, caller: &'a Caller) -> Guarded<'a> {
        Guarded::new(self, caller)
    }

    fn parts(&self) -> &Parts {
        &self.inner.parts
    }

    fn settings(&self) -> &ManagementSettings {
        &self.inner.settings
    }

    fn access(&self) -> &Access {
        &self.inner.access
    }

    fn health(&self) -> &health::Health {
        &self.inner.health
    }

    fn now(&self) -> Timestamp {
        self.inner.parts.clock.now()
    }
}
