//! What can be set of the use cases.

use std::time::Duration;

/// The settings; every field is read from the configuration or known to the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementSettings {
    /// What robots' log-in names begin with.
    pub robot_prefix: String,
    /// How many days a robot lives whose maker names none; `None` is forever.
    pub robot_duration: Option<u32>,
    /// Whether people without an account may make themselves one.
    pub self_registration: bool,
    /// How long a token lasts.
    pub token_lifetime: Duration,
    /// How long a session lasts without being used.
    pub session_lifetime: Duration,
    /// The program's version.
    pub version: String,
}

impl Default for ManagementSettings {
    fn default() -> Self {
        Self {
            robot_prefix: "robot$".to_owned(),
            robot_duration: Some(30),
            self_registration: false,
            token_lifetime: Duration::from_mins(30),
            session_lifetime: Duration::from_hours(1),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
