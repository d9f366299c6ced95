//! The whole configuration: a field a section.

use std::path::PathBuf;

use crate::section::{
    Access, Cache, Data, Database, Log, Memory, Projects, Registry, Robots, Server, Storage, Tls, Tokens,
};
use crate::{Finding, Setting};

/// All settings with their effective values.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Listening, limits and shutdown.
    pub server: Server,
    /// Encryption.
    pub tls: Tls,
    /// The data directory.
    pub data: Data,
    /// Metadata.
    pub database: Database,
    /// Bytes.
    pub storage: Storage,
    /// The registry's rules.
    pub registry: Registry,
    /// What protects accounts.
    pub access: Access,
    /// The tokens that clients work with.
    pub tokens: Tokens,
    /// How projects come to be.
    pub projects: Projects,
    /// Machines' accounts.
    pub robots: Robots,
    /// What is remembered.
    pub cache: Cache,
    /// Budgets.
    pub memory: Memory,
    /// What is written down.
    pub log: Log,
}

impl Config {
    /// Everything about these values that cannot work, section by section.
    #[must_use]
    pub fn validate(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.server.validate(&mut findings);
        self.tls.validate(&mut findings);
        self.database.validate(&mut findings);
        self.registry.validate(&mut findings);
        self.access.validate(self.database.url.is_empty(), &mut findings);
        self.tokens.validate(&mut findings);
        self.robots.validate(&mut findings);
        self.cache.validate(&mut findings);
        self.memory.validate(self.registry.manifest_limit, &mut findings);
        if self.data.directory.as_os_str().is_empty() && self.needs_data_directory() {
            findings.push(Finding::new(
                "data",
                "directory",
                "no directory is known, because neither XDG_DATA_HOME nor HOME is set; name one here, with --data or with BERTH_DATA",
            ));
        }
        findings
    }

    /// The directory of the filesystem storage.
    #[must_use]
    pub fn blob_directory(&self) -> PathBuf {
        self.storage.directory.clone().unwrap_or_else(|| self.data.directory.join("blobs"))
    }

    /// The file of the embedded database; `None` if another database is named.
    #[must_use]
    pub fn embedded_database(&self) -> Option<PathBuf> {
        self.database.url.is_empty().then(|| self.data.directory.join("berth.db"))
    }

    fn needs_data_directory(&self) -> bool {
        self.database.url.is_empty() || self.storage.directory.is_none()
    }

    /// Sets one setting from its text; what to write instead if the text does not fit.
    pub(crate) fn set(&mut self, setting: &Setting, text: &str) -> Result<(), String> {
        (setting.set)(self, text).ok_or_else(|| setting.misfit(text))
    }
}
