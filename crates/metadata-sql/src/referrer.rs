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
        "SELECT CAST(COALESCE(length(annotations), 0) AS BIGINT) FROM manifests
         WHERE repository_id = $1 AND subject = $2 AND deleted_at IS NULL AND id > $3
         AND (CAST($4 AS TEXT) IS NULL OR artifact_type = $4)
         ORDER BY id LIMIT $5"
    );
}

/// A page ends behind the one that brings its annotations to so many bytes; it may have one more, so that whoever cuts pages sees
/// that there is more.
const HEAVY: i64 = 4 << 20;

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

/// How many rows of these weights one answer takes: one more than reach [`HEAVY`].
fn fitting(weights: impl Iterator<Item = i64>) -> i64 {
    let mut rows = 1;
    let mut sum = 0_i64;
    for weight in weights {
        rows += 1;
        sum = sum.saturating_add(weight);
        if sum >= HEAVY {
            break;
        }
    }
    rows
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
        let weights: Vec<(i64,)> = all!(
            self,
            REFERRER_WEIGHTS,
            repository.0,
            subject.clone(),
            after,
            artifact_type,
            i64::from(limit)
        );
        let fitting = fitting(weights.into_iter().map(|(weight,)| weight));
        let rows: Vec<Row> =
            all!(self, REFERRERS, repository.0, subject, after, artifact_type, i64::from(limit).min(fitting));
        rows.into_iter().map(referrer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heavy_rows_end_an_answer_early_and_light_ones_do_not() {
        assert_eq!(fitting([0; 7].into_iter()), 8);
        assert_eq!(fitting([HEAVY, 1, 1].into_iter()), 2);
        assert_eq!(fitting([1, HEAVY - 2, 1, 1, 1].into_iter()), 4);
        assert_eq!(fitting([i64::MAX, i64::MAX].into_iter()), 2);
    }
}
