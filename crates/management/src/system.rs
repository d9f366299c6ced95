//! What the installation says of itself.

use std::time::Duration;

use berth_domain::{Action, ActorKind, Resource, Timestamp};

use crate::guarded::Guarded;
use crate::{Management, Result};

/// How long a component may think about how it is.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// How one component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentHealth {
    /// Its name, as Harbor calls it.
    pub name: &'static str,
    /// What is wrong with it; `None` is nothing.
    pub error: Option<String>,
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

impl Management {
    /// How the components are, for whoever asks: `core` is this process, `database` the metadata, `registry` the storage. Details
    /// of what is wrong stand in the log.
    pub async fn health(&self) -> Vec<ComponentHealth> {
        let parts = self.parts();
        let (database, registry) = tokio::join!(
            healthy("database", parts.metadata.check()),
            healthy("registry", parts.blobs.check())
        );
        vec![ComponentHealth { name: "core", error: None }, database, registry]
    }
}

async fn healthy<E: std::fmt::Display>(
    name: &'static str,
    check: impl Future<Output = Result<(), E>>,
) -> ComponentHealth {
    let error = match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("it does not answer".to_owned()),
    };
    if let Some(error) = &error {
        tracing::warn!(component = name, error, "unhealthy");
    }
    ComponentHealth { name, error }
}
