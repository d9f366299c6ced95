//! Settings that the installation makes for itself.

use async_trait::async_trait;
use berth_metadata::{Error, Result, SettingReads, SettingWrites};
use bytes::Bytes;

use crate::SqlMetadata;
use crate::transaction::SqlTransaction;

statements! {
    SETTING = sql!("SELECT value FROM settings WHERE name = $1");
    ADD_SETTING = sql!("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
}

#[async_trait]
impl SettingReads for SqlMetadata {
    async fn setting(&self, name: &str) -> Result<Option<Bytes>> {
        let row: Option<(Vec<u8>,)> = optional!(self, SETTING, name);
        Ok(row.map(|(value,)| value.into()))
    }
}

#[async_trait]
impl SettingWrites for SqlTransaction {
    async fn ensure_setting(&mut self, name: &str, fresh: &[u8]) -> Result<Bytes> {
        let mut row: Option<(Vec<u8>,)> = optional!(self, SETTING, name);
        if row.is_none() {
            execute!(self, ADD_SETTING, name, fresh);
            // Another transaction may have been faster; its value holds.
            row = optional!(self, SETTING, name);
        }
        row.map(|(value,)| value.into()).ok_or(Error::Conflict)
    }
}
