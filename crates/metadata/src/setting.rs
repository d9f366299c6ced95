//! Settings of the installation that it makes for itself, such as signing keys.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Result;

/// Looking at settings.
#[async_trait]
pub trait SettingReads {
    /// The setting, if it was made.
    async fn setting(&self, name: &str) -> Result<Option<Bytes>>;
}

/// Reading and making settings.
#[async_trait]
pub trait SettingWrites {
    /// The setting; `fresh` becomes it if there is none. Every process gets the same answer.
    async fn ensure_setting(&mut self, name: &str, fresh: &[u8]) -> Result<Bytes>;
}
