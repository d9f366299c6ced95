//! What can be set of this door.

use std::time::Duration;

/// The settings; every field is read from the configuration.
#[derive(Clone, Debug)]
pub struct DistributionSettings {
    /// The longest manifest, in bytes; the same as the registry's.
    pub manifest_limit: usize,
    /// How long a body may stand still before its upload is cut off, and how long one may take that is read whole: a manifest, a form.
    pub body_timeout: Duration,
    /// How many bodies may come in at once; who comes later gets 429.
    pub concurrent_uploads: usize,
}
