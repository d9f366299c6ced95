//! Referrers: manifests that are about another one.

use async_trait::async_trait;
use berth_domain::RepositoryId;
use berth_oci::{Descriptor, Digest};

use crate::Result;

/// A manifest with the subject that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Where it stands in the list: a later manifest has a greater one.
    pub position: i64,
    /// As the referrers list shows it: artifact type and annotations taken from the manifest.
    pub descriptor: Descriptor,
}

/// Looking at referrers.
#[async_trait]
pub trait ReferrerReads {
    /// Live manifests of the repository about `subject`, after `after`, of one artifact type if that is given. What becomes
    /// visible after an entry was seen stands behind it, so a list that is continued misses nothing.
    async fn referrers(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Referrer>>;

    /// How many bytes the types and annotations of each of these entries have, in the same order: what a list would take in
    /// memory, so that whoever asks for it can make room first.
    async fn referrer_weights(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<u64>>;
}
