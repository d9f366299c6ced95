//! Where the chores work: the checkout, the target directory, the cache under the user's home.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// The places that every chore needs.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    root: PathBuf,
    target: PathBuf,
    cache: PathBuf,
    soak: bool,
}

impl Context {
    /// Asks cargo where the checkout and its target directory are.
    pub(crate) fn discover() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec().context("cargo metadata does not answer")?;
        let cache = match env::var_os("XDG_CACHE_HOME").filter(|home| !home.is_empty()) {
            Some(home) => PathBuf::from(home),
            None => PathBuf::from(env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
                .join(".cache"),
        };
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            target: metadata.target_directory.into_std_path_buf(),
            cache: cache.join("berth"),
            soak: false,
        })
    }

    pub(crate) fn with_soak(self, soak: bool) -> Self {
        Self { soak, ..self }
    }

    /// The checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where pinned programs are kept, outside the checkout.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Whether the long tests run too.
    pub(crate) const fn soak(&self) -> bool {
        self.soak
    }

    /// The binary that the stories and the conformance suite start.
    pub(crate) fn binary(&self) -> PathBuf {
        self.target.join("debug/berth")
    }

    /// What cargo knows of the workspace and everything below it.
    pub(crate) fn metadata(&self) -> Result<Metadata> {
        MetadataCommand::new()
            .manifest_path(self.root.join("Cargo.toml"))
            .exec()
            .context("cargo metadata does not answer")
    }
}
