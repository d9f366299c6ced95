//! The settings of the installation that clients of Harbor ask for. They stand in the configuration, and nothing here changes them.

use std::time::Duration;

use berth_domain::{Action, Resource};

use crate::Result;
use crate::guarded::Guarded;

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// What robots' log-in names begin with.
    pub robot_prefix: String,
    /// How many days a robot lives whose maker names none; `None` is forever.
    pub robot_duration: Option<u32>,
    /// Whether people may make themselves accounts.
    pub self_registration: bool,
    /// Whether every user may make projects, not only system administrators.
    pub users_create_projects: bool,
    /// How long a token lasts.
    pub token_lifetime: Duration,
    /// How long a session lasts without being used.
    pub session_lifetime: Duration,
}

impl Guarded<'_> {
    /// What is set, for system administrators.
    pub async fn configuration(&self) -> Result<Configuration> {
        self.check_sysadmin(Resource::Configuration, Action::Read).await?;
        let settings = self.management.settings();
        Ok(Configuration {
            robot_prefix: settings.robot_prefix.clone(),
            robot_duration: settings.robot_duration,
            self_registration: settings.self_registration,
            users_create_projects: self.management.parts().authority.settings().rules.users_create_projects,
            token_lifetime: settings.token_lifetime,
            session_lifetime: settings.session_lifetime,
        })
    }
}
