//! What the installation says of itself.

use berth_domain::{Action, ActorKind, Resource, Timestamp};

use crate::Result;
use crate::guarded::Guarded;

/// What everybody may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemInfo {
    /// Whether people may make themselves accounts.
    pub self_registration: bool,
    /// The rest, for those with an account.
    pub details: Option<SystemDetails>,
}

/// What those with an account may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemDetails {
    /// The program's version.
    pub version: String,
    /// Whether every user may make projects, not only system administrators.
    pub users_create_projects: bool,
    /// The time here.
    pub now: Timestamp,
}

impl Guarded<'_> {
    /// What the installation says of itself to this caller.
    pub async fn system_info(&self) -> Result<SystemInfo> {
        let management = self.management;
        let self_registration = management.settings().self_registration;
        if self.caller.actor.kind == ActorKind::Anonymous {
            return Ok(SystemInfo { self_registration, details: None });
        }
        self.check_known(Resource::Configuration, Action::Read).await?;
        let details = SystemDetails {
            version: management.settings().version.clone(),
            users_create_projects: management.parts().authority.settings().rules.users_create_projects,
            now: management.now(),
        };
        Ok(SystemInfo { self_registration, details: Some(details) })
    }
}
