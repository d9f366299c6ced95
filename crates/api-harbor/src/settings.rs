//! What can be set of this door.

use std::time::Duration;

/// The settings; every field is read from the configuration.
#[derive(Clone, Debug)]
pub struct HarborSettings {
    /// The longest body, in bytes.
    pub body_limit: usize,
    /// How long a body may take to come in.
    pub body_timeout: Duration,
}
