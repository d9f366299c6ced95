//! Referrers, read from the manifests that have a subject.

use async_trait::async_trait;
use berth_domain::RepositoryId;
use berth_metadata::{Referrer, ReferrerReads, Result};
use berth_oci::{Descriptor, Digest};

use crate::SqlMetadata;
use crate::error::corrupt;
use crate::value::{digest, parse, unsigned};

statements! {
    REFERRERS = sql!(
        "SELECT id, digest, media_type, artifact_type, size, annotations FROM manifests
         WHERE repository_id = $1 AND subject = $2 AND deleted_at IS NULL AND id > $3
         AND (CAST($4 AS TEXT) IS NULL OR artifact_type = $4)
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)
         ORDER BY id LIMIT $5"
    );
    REFERRER_WEIGHTS = sql!(
        "SELECT CAST(octet_length(media_type) + COALESCE(octet_length(artifact_type), 0) + COALESCE(octet_length(annotations), 0) AS BIGINT)
         FROM manifests WHERE repository_id = $1 AND subject = $2 AND deleted_at IS NULL AND id > $3
         AND (CAST($4 AS TEXT) IS NULL OR artifact_type = $4)
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.id = $1 AND r.deleted_at IS NULL)
         ORDER BY id LIMIT $5"
    );
}

type Row = (i64, Vec<u8>, String, Option<String>, i64, Option<String>);

fn referrer((position, name, media_type, artifact_type, size, annotations): Row) -> Result<Referrer> {
    let annotations = annotations
        .map(|json| serde_json::from_str(&json).map_err(|_| corrupt("the annotations", json)))
        .transpose()?;
    let descriptor = Descriptor {
        media_type: parse("the media type", &media_type)?,
        digest: digest(&name)?,
        size: unsigned(size)?,
        artifact_type,
        annotations,
    };
    Ok(Referrer { position, descriptor })
}

#[async_trait]
impl ReferrerReads for SqlMetadata {
    async fn referrers(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Referrer>> {
        let (subject, after) = (subject.to_bytes(), after.unwrap_or(0));
        let rows: Vec<Row> =
            all!(self, REFERRERS, repository.0, subject, after, artifact_type, i64::from(limit));
        rows.into_iter().map(referrer).collect()
    }

    async fn referrer_weights(
        &self,
        repository: RepositoryId,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<u64>> {
        let (subject, after) = (subject.to_bytes(), after.unwrap_or(0));
        let rows: Vec<(i64,)> =
            all!(self, REFERRER_WEIGHTS, repository.0, subject, after, artifact_type, i64::from(limit));
        rows.into_iter().map(|(weight,)| unsigned(weight)).collect()
    }
}
