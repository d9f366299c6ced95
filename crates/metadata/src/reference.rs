//! What manifests say as rows: what they point at, what they are about, how they are listed. It follows from their bytes and is
//! written with them; here it is compared with them, and derived again where it differs.

use async_trait::async_trait;
use berth_domain::{Repository, RepositoryId, Timestamp};

use crate::{NewManifest, Result};

/// How the rows of a manifest differ from what its bytes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestDifference {
    /// How many references there are no rows for.
    pub missing: u64,
    /// How many rows there are for what it does not point at, or not in that place, role or size.
    pub surplus: u64,
    /// What else is not as the bytes say, in words.
    pub fields: Vec<&'static str>,
}

/// Comparing rows with what the bytes say.
#[async_trait]
pub trait ReferenceReads {
    /// How the rows of the live manifest of that digest differ; `None` if they do not, or if it is gone.
    async fn manifest_difference(
        &self,
        repository: RepositoryId,
        manifest: &NewManifest<'_>,
    ) -> Result<Option<ManifestDifference>>;
}

/// Deriving rows again.
#[async_trait]
pub trait ReferenceWrites {
    /// Makes the rows of a live manifest what its bytes say, if these are still its bytes. How they differed; `None` if they did not, or
    /// if it is gone. No blob that it names is taken away until the transaction ends.
    async fn derive_references(
        &mut self,
        repository: &Repository,
        manifest: &NewManifest<'_>,
        at: Timestamp,
    ) -> Result<Option<ManifestDifference>>;
}
